import { html } from "lit";

import type { TopBySegment } from "../../api/types.ts";
import { duration } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { valueName } from "../../i18n/values.ts";
import { bar } from "../../parts/bar.ts";
import "../../parts/gs-definition.ts";
import { contentLink } from "./columns.ts";

type Segment = TopBySegment["segments"][number];

/** The segments side by side, each with its most watched contents. */
export const segmentCards = ({ by, segments }: TopBySegment) => html`
  <div class="segments">${segments.map((segment) => column(by, segment))}</div>
`;

function column(by: string, { value, viewers, contents }: Segment) {
  const most = Math.max(1, ...contents.map((one) => one.watched_ms));
  return html`
    <section>
      <h3><bdi>${valueName(by, value)}</bdi></h3>
      <p class="quiet">${t("preferences.viewers_count", { count: viewers })}</p>
      <ol>
        ${contents.map(
          (content) => html`
            <li>
              ${contentLink(content)}
              <span class="quiet watched">
                ${t("preferences.watched_by", { time: duration(content.watched_ms), count: content.viewers })}
              </span>
              ${bar(content.watched_ms / most)}
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}
