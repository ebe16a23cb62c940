import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compared, resolutionOf, spanOf, told, viewOf } from "./view.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-20T18:00:00Z");
const times = { now: NOW, start: null, end: null };
const view = (query: string) => viewOf(new URLSearchParams(query));

describe("a content's view in the address", () => {
  it("is the last hour, live, unless it says otherwise", () => {
    expect(view("")).toEqual({ range: "1h", chosen: null, paused: null, split: null, compare: [] });
    expect(spanOf(view(""), times)).toEqual({ from: NOW - HOUR, to: NOW });
  });

  it("opens the same stretch whenever it is opened, once both ends are in it", () => {
    const link = new URLSearchParams({ from: told(NOW - HOUR), to: told(NOW), range: "15m" });
    expect(spanOf(viewOf(link), { now: NOW + 99 * HOUR, start: null, end: null })).toEqual({
      from: NOW - HOUR,
      to: NOW,
    });
  });

  it("stands still while it is paused", () => {
    const query = new URLSearchParams({ paused: told(NOW), range: "15m" });
    expect(spanOf(viewOf(query), { ...times, now: NOW + HOUR }).to).toBe(NOW);
  });

  it("shows the last of what has ended", () => {
    expect(spanOf(view("range=3h"), { ...times, end: NOW - HOUR }).to).toBe(NOW - HOUR);
  });

  it("goes back to the start where that is known", () => {
    expect(spanOf(view("range=start"), { ...times, start: NOW - 5 * HOUR }).from).toBe(NOW - 5 * HOUR);
  });

  it.each([
    "from=yesterday&to=now",
    "from=2026-11-20T18:00:00Z",
    "from=2026-11-20&to=2026-11-19",
    "range=9y",
  ])("takes %s as unset", (query) => {
    expect(view(query)).toEqual(view(""));
  });

  it("keeps any values that are compared, commas and all", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: "grapheme" })), (values) => {
        const query = new URLSearchParams({ compare: compared(values) ?? "" });
        expect(viewOf(new URLSearchParams(query.toString())).compare).toEqual(values);
      }),
    );
  });

  it("never asks for more windows than an answer holds", () => {
    const most = { "5s": 2_880, "1m": 10_080, "1h": 9_600 };
    const steps = { "5s": 5_000, "1m": 60_000, "1h": HOUR };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 * 24 * HOUR }), (length) => {
        const resolution = resolutionOf({ from: 0, to: length });
        expect(length / steps[resolution]).toBeLessThanOrEqual(most[resolution]);
      }),
    );
  });
});
