import { html, nothing } from "lit";

import type { Now } from "../../api/types.ts";
import { clock, dayAndClock, duration } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import type { Phase } from "./facts.ts";

/** What the content is called, whether it is on, and how old the figures are. */
export const header = (contentId: string, title: string | null, phase: Phase | null, now: Now | null) => html`
  <header>
    <h1><bdi>${title ?? contentId}</bdi></h1>
    ${phase === null ? nothing : html`<span class="badge ${phase}">${t(`content.phase_${phase}`)}</span>`}
    ${title === null ? nothing : html`<bdi class="quiet">${contentId}</bdi>`}
    <span class="quiet as-of">${now ? asOf(now) : ""}</span>
  </header>
`;

function asOf({ as_of, delay_ms }: Now): string {
  const time = clock(Date.parse(as_of));
  return delay_ms
    ? t("content.as_of_behind", { time, delay: duration(delay_ms) })
    : t("content.as_of", { time });
}

/** That it has not begun, and when it will. */
export const upcoming = (start: number | null) => html`
  <section class="card">
    <h2>${t("content.upcoming_title")}</h2>
    <p>${t("content.upcoming_text", { time: start === null ? "" : dayAndClock(start) })}</p>
  </section>
`;
