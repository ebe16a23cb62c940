import { html, nothing } from "lit";

import { change, type Failed } from "../../api/client.ts";
import type { Replayed } from "../../api/types.ts";
import { count } from "../../i18n/format.ts";
import { t, type MessageKey } from "../../i18n/locale.ts";
import { lots, reasonsOf } from "./letters.ts";

/** What became of a replay, as far as it got. */
export interface Outcome extends Replayed {
  failed?: Failed;
}

/** Hand letters over again: those with these ids, or all (null). Throws Failed. */
export async function replay(ids: string[] | null): Promise<Outcome> {
  const bodies = ids === null ? [{}] : lots(ids).map((record_ids) => ({ record_ids }));
  const told: Outcome = { replayed: 0, refused: [] };
  for (const body of bodies) {
    const { replayed, refused } = await change<Replayed>("POST", "/v1/dead-letters/replay", body);
    told.replayed += replayed;
    told.refused.push(...refused);
  }
  return told;
}

/** The outcome in words: how many went, how many did not and why. */
export const outcome = ({ replayed, refused, failed }: Outcome) => {
  if (failed)
    return html`<p class="bad">
      <span aria-hidden="true">✕</span>
      ${t(`states.${failed.trouble.replaceAll("-", "_")}_title` as MessageKey)}
      <bdi class="quiet" lang="en">${failed.detail}</bdi>
    </p>`;
  return html`
    <p>${t("health.replayed", { count: replayed })}</p>
    ${
      refused.length > 0
        ? html`<p>${t("health.refused", { count: refused.length })}</p>
            <ul>
              ${reasonsOf(refused).map(
                ([reason, times]) => html`<li>${count(times)} · <bdi lang="en">${reason}</bdi></li>`,
              )}
            </ul>`
        : nothing
    }
  `;
};
