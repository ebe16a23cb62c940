import type { Letter } from "../../api/types.ts";

/** Letters that the same function gave up for the same reason, the newest first. */
export interface LetterGroup {
  function: string;
  reason: string;
  letters: Letter[];
}

/** What tells a group from the others. */
export const keyOf = (told: { function: string; reason: string }): string =>
  JSON.stringify([told.function, told.reason]);

/** Letters by function and reason, the largest group first. A letter that is there twice counts once. */
export function grouped(letters: Letter[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const letter of new Map(letters.map((one) => [one.record_id, one])).values()) {
    const key = keyOf(letter);
    const group = groups.get(key) ?? { function: letter.function, reason: letter.reason, letters: [] };
    group.letters.push(letter);
    groups.set(key, group);
  }
  const found = [...groups].sort(([a, m], [b, n]) => n.letters.length - m.letters.length || (a < b ? -1 : 1));
  for (const [, { letters }] of found) letters.sort((a, b) => Date.parse(b.dead_at) - Date.parse(a.dead_at));
  return found.map(([, group]) => group);
}

/** The content that a record was for: its key is content#k. */
export const contentOf = ({ key }: Letter): string => key.replace(/#\d+$/, "");

/** How many ids one replay names: it is answered well within the time that a request waits. */
const MOST = 200;

/** Ids in as many lots as replays are needed. */
export const lots = (ids: string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / MOST) }, (_, index) =>
    ids.slice(index * MOST, (index + 1) * MOST),
  );

/** How often each reason was given, the most frequent first. */
export function reasonsOf(refused: { reason: string }[]): [string, number][] {
  const times = new Map<string, number>();
  for (const { reason } of refused) times.set(reason, (times.get(reason) ?? 0) + 1);
  return [...times].sort(([, m], [, n]) => n - m);
}
