import { css, html } from "lit";

import type { EndedContent, UpcomingContent } from "../../api/types.ts";
import { contentAddress } from "../../app/router.ts";
import { count, dayAndClock, error, relative } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/gs-definition.ts";
import { badges } from "./problem.ts";

export const besideStyles = css`
  .beside h2 {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .beside ul {
    list-style: none;
  }
  .beside li {
    display: grid;
    gap: 2px;
    padding-block: 8px;
    border-block-end: 1px solid var(--line);
    font-variant-numeric: tabular-nums;
  }
  .beside li:last-child {
    border: 0;
  }
  .beside a {
    min-height: 24px;
    color: var(--text);
    font-weight: 600;
    text-decoration-color: var(--control-line);
    overflow-wrap: anywhere;
  }
  .beside .when {
    display: flex;
    flex-wrap: wrap;
    gap: 0 12px;
    color: var(--quiet);
    font-size: 0.875rem;
  }
`;

/** What comes, the soonest first; `at` is when that was told, ms since the epoch. */
export const upcomingList = (contents: UpcomingContent[], at: number) => html`
  <section class="card beside" aria-labelledby="upcoming">
    ${heading("upcoming", t("overview.upcoming"), "Overview/upcoming")}
    ${
      contents.length === 0
        ? html`<p class="quiet">${t("overview.upcoming_none")}</p>`
        : html`<ul role="list">
            ${contents.map(
              ({ content_id, title, starts_at, problems }) => html`
                <li>
                  ${link(content_id, title)}
                  <span class="when"
                    >${moment(starts_at)}<span>${relative(Date.parse(starts_at), at)}</span></span
                  >
                  <span>${badges(problems)}</span>
                </li>
              `,
            )}
          </ul>`
    }
  </section>
`;

/** What has ended, the last first, with the most viewers it had. */
export const endedList = (contents: EndedContent[], at: number) => html`
  <section class="card beside" aria-labelledby="ended">
    ${heading("ended", t("overview.ended"), "Overview/ended")}
    ${
      contents.length === 0
        ? html`<p class="quiet">${t("overview.ended_none")}</p>`
        : html`<ul role="list">
            ${contents.map(
              ({ content_id, title, ended_at, peak_concurrent, peak_concurrent_error }, index) => html`
                <li>
                  ${link(content_id, title)}
                  <span class="when"
                    >${moment(ended_at)}<span>${relative(Date.parse(ended_at), at)}</span></span
                  >
                  <span class="when">
                    <span>
                      ${t("overview.peak")}
                      <bdi>${count(peak_concurrent)}</bdi> <bdi>${error(peak_concurrent_error)}</bdi>
                    </span>
                    ${
                      index === 0
                        ? html`<gs-definition
                            name="Overview/peak_concurrent"
                            label=${t("overview.peak")}
                          ></gs-definition>`
                        : ""
                    }
                  </span>
                </li>
              `,
            )}
          </ul>`
    }
  </section>
`;

const heading = (id: string, text: string, definition: string) => html`
  <h2><span id=${id}>${text}</span> <gs-definition name=${definition} label=${text}></gs-definition></h2>
`;

const link = (contentId: string, title: string | null) =>
  html`<a href=${contentAddress(contentId)}><bdi>${title ?? contentId}</bdi></a>`;

const moment = (at: string) => html`<time datetime=${at}>${dayAndClock(Date.parse(at))}</time>`;
