import type { LiveContent } from "../../api/types.ts";

/** How much larger an audience must be than the one above it before the two change places. */
const CLEARLY = 1.05;

/**
 * Live contents, the most watched first, in an order that can be read while it changes.
 *
 * `before` are the ids as they stood. While the order is held, nothing that stands there moves and new contents come
 * last; else a content rises past those above it that it clearly outdoes, so that two of a size do not swap places
 * with every answer.
 */
export function steady(
  before: readonly string[],
  live: readonly LiveContent[],
  held: boolean,
): LiveContent[] {
  const standing = new Map(before.map((id, place) => [id, place]));
  const ordered = live
    .map((content, rank) => ({ content, place: standing.get(content.content_id) ?? before.length + rank }))
    .sort((a, b) => a.place - b.place)
    .map(({ content }) => content);
  return held ? ordered : risen(ordered);
}

function risen(contents: LiveContent[]): LiveContent[] {
  const ordered: LiveContent[] = [];
  for (const content of contents) {
    let place = ordered.length;
    while (place > 0 && outdoes(content, ordered[place - 1])) place -= 1;
    ordered.splice(place, 0, content);
  }
  return ordered;
}

const outdoes = (content: LiveContent, above: LiveContent | undefined): boolean =>
  above !== undefined && content.concurrent > above.concurrent * CLEARLY;
