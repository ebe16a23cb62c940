import { html } from "lit";

import type { Letter } from "../../api/types.ts";
import { contentAddress } from "../../app/router.ts";
import { bytes, dayAndClock } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import type { Column } from "../../parts/table.ts";
import { contentOf } from "./letters.ts";

/** What is told of a letter. */
export const letterColumns = (): Column<Letter>[] => [
  {
    label: t("health.record"),
    shown: (letter) => html`<code class="record">${letter.record_id}</code>`,
    raw: (letter) => letter.record_id,
  },
  { label: t("health.function"), raw: (letter) => letter.function },
  { label: t("health.reason"), raw: (letter) => letter.reason },
  { label: t("health.content"), shown: contentTold, raw: contentOf },
  {
    label: t("health.dead_at"),
    shown: (letter) => html`<span class="moment">${dayAndClock(Date.parse(letter.dead_at))}</span>`,
    raw: (letter) => letter.dead_at,
  },
  { label: t("health.first_appended_at"), raw: (letter) => letter.first_appended_at },
  {
    label: t("health.size"),
    definition: "dead_letters",
    number: true,
    shown: (letter) => bytes(letter.bytes),
    raw: (letter) => letter.bytes,
  },
];

/** The content, leading to its view; a long id stands in the key as a hash, which leads nowhere. */
function contentTold(letter: Letter) {
  const content = contentOf(letter);
  if (content.startsWith("~")) return html`<code>${content}</code>`;
  return html`<a href=${contentAddress(content)}><bdi>${content}</bdi></a>`;
}
