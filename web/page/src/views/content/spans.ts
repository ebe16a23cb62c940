import type { Span } from "../../parts/chart/model.ts";

/** Sets of time, as stretches that ascend and do not touch. */
export type Spans = readonly Span[];

/** All of both. */
export function union(one: Spans, other: Spans): Span[] {
  const joined: Span[] = [];
  for (const { from, to } of [...one, ...other].sort((a, b) => a.from - b.from)) {
    if (from >= to) continue;
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** What is in the first, and not in the second. */
export function minus(one: Spans, other: Spans): Span[] {
  let left = union(one, []);
  for (const { from, to } of other)
    left = left.flatMap((span) => [
      ...(span.from < from ? [{ from: span.from, to: Math.min(span.to, from) }] : []),
      ...(span.to > to ? [{ from: Math.max(span.from, to), to: span.to }] : []),
    ]);
  return left;
}

/** What is in both. */
export const both = (one: Spans, other: Spans): Span[] => minus(one, minus(one, other));

/** The whole steps that a span touches. */
export const widened = ({ from, to }: Span, step: number): Span => ({
  from: Math.floor(from / step) * step,
  to: Math.ceil(to / step) * step,
});
