import { html, nothing } from "lit";

import { change, get, type Failed } from "../../api/client.ts";
import type { Letters, Replayed } from "../../api/types.ts";
import { count } from "../../i18n/format.ts";
import { t, type MessageKey } from "../../i18n/locale.ts";
import { lots, reasonsOf } from "./letters.ts";

/** What became of a replay, as far as it got. */
export interface Outcome extends Replayed {
  failed?: Failed;
}

/** Hand letters over again: those with these ids, or all that there are now (null). Throws Failed. */
export async function replay(ids: string[] | null): Promise<Outcome> {
  const told: Outcome = { replayed: 0, refused: [] };
  for (const record_ids of lots(ids ?? (await everyId()))) {
    const { replayed, refused } = await change<Replayed>("POST", "/v1/dead-letters/replay", { record_ids });
    told.replayed += replayed;
    told.refused.push(...refused);
  }
  return told;
}

async function everyId(): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Letters = await letterPage(cursor);
    ids.push(...page.letters.map((letter) => letter.record_id));
    cursor = page.next;
  } while (cursor !== null);
  return ids;
}

/** A long page of letters, the first or the one that a cursor names. Throws Failed. */
export const letterPage = (cursor: string | null): Promise<Letters> =>
  get(`/v1/dead-letters?limit=1000${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);

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
