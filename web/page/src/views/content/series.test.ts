import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AudienceWindow } from "../../api/types.ts";
import { Series } from "./series.ts";
import { both, minus, union } from "./spans.ts";

const STEP = 5_000;

const window = (number: number, viewers: number): AudienceWindow =>
  ({ start: new Date(number * STEP).toISOString(), viewers }) as AudienceWindow;
const span = (first: number, end: number) => ({ from: first * STEP, to: end * STEP });

/** An answer about windows [first, end): each has as many viewers as it was asked for at. */
const answers = fc
  .tuple(fc.nat(30), fc.integer({ min: 1, max: 10 }), fc.nat(1_000))
  .map(([first, length, askedAt]) => ({ first, end: first + length, askedAt }));

/** Answers, and the same in another order. */
const shuffled = fc
  .array(answers, { maxLength: 12 })
  .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));

function merged(all: { first: number; end: number; askedAt: number }[]): Series {
  const series = new Series(STEP);
  for (const { first, end, askedAt } of all) {
    const windows = Array.from({ length: end - first }, (_, at) => window(first + at, askedAt));
    series.merge(windows, span(first, end), askedAt);
  }
  return series;
}

describe("a series put together from answers", () => {
  it("holds what was asked for last of each window, in whichever order answers come", () => {
    fc.assert(
      fc.property(shuffled, ([all, order]) => {
        const told = merged(order).within(span(0, 50));
        const expected = Array.from({ length: 50 }, (_, number) => {
          const about = all.filter(({ first, end }) => first <= number && number < end);
          return about.length > 0 ? window(number, Math.max(...about.map(({ askedAt }) => askedAt))) : null;
        });
        expect(told).toEqual(expected.filter(Boolean));
      }),
    );
  });

  it("misses exactly what no answer speaks for", () => {
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 12 }), (all) => {
        const missing = merged(all).missing(span(0, 45));
        for (let number = 0; number < 45; number++) {
          const spoken = all.some(({ first, end }) => first <= number && number < end);
          const found = missing.some(({ from, to }) => from <= number * STEP && number * STEP < to);
          expect(found).toBe(!spoken);
        }
      }),
    );
  });

  it("misses nothing after what was missing has been answered", () => {
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 8 }), (all) => {
        const series = merged(all);
        for (const gap of series.missing(span(0, 45))) series.merge([], gap, 2_000);
        expect(series.missing(span(0, 45))).toEqual([]);
      }),
    );
  });

  it("knows a stretch without events as empty, not as missing", () => {
    const series = new Series(STEP);
    series.merge([window(3, 7)], span(0, 10), 1);
    expect(series.missing(span(0, 10))).toEqual([]);
    expect(series.within(span(0, 10)).map(({ viewers }) => viewers)).toEqual([7]);
  });

  it("asks again for what it forgets, and shows it meanwhile", () => {
    const series = new Series(STEP);
    series.merge([window(3, 7)], span(0, 10), 1);
    series.forget({ from: 3 * STEP + 1, to: 4 * STEP + 1 });
    expect(series.missing(span(0, 10))).toEqual([span(3, 5)]);
    expect(series.within(span(0, 10))).toHaveLength(1);
  });

  it("holds no more than it is told to keep, and knows what it let go of as missing", () => {
    fc.assert(
      fc.property(fc.array(answers, { minLength: 1, maxLength: 12 }), (all) => {
        const series = merged(all);
        series.keep([span(5, 10), span(20, 22)]);
        expect(series.size).toBeLessThanOrEqual(7);
        expect(series.missing(span(10, 20))).toEqual([span(10, 20)]);
      }),
    );
  });
});

describe("sets of time", () => {
  const spans = fc.array(
    fc.tuple(fc.nat(40), fc.nat(10)).map(([from, length]) => ({ from, to: from + length })),
  );
  const holds = (set: readonly { from: number; to: number }[], at: number) =>
    set.some(({ from, to }) => from <= at && at < to);

  it("join, part and meet as sets do", () => {
    fc.assert(
      fc.property(spans, spans, (one, other) => {
        for (let at = 0; at < 50; at++) {
          expect(holds(union(one, other), at)).toBe(holds(one, at) || holds(other, at));
          expect(holds(minus(one, other), at)).toBe(holds(one, at) && !holds(other, at));
          expect(holds(both(one, other), at)).toBe(holds(one, at) && holds(other, at));
        }
      }),
    );
  });
});
