import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { LiveContent } from "../../api/types.ts";
import { steady } from "./order.ts";

const content = (content_id: string, concurrent: number): LiveContent => ({
  content_id,
  title: null,
  starts_at: null,
  concurrent,
  concurrent_error: 0,
  change: null,
  rebuffering_ratio: null,
  sparkline: { from: "", resolution: "1m", concurrent: [] },
  problems: [],
});

const ids = (contents: LiveContent[]): string[] => contents.map(({ content_id }) => content_id);

const names = fc.uniqueArray(fc.stringMatching(/^[a-h]$/));
const contents = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-h]$/), fc.nat(1_000)), { selector: ([id]) => id })
  .map((all) => all.map(([id, viewers]) => content(id, viewers)).sort((a, b) => b.concurrent - a.concurrent));

describe("the order of live contents", () => {
  it("is the API's at first", () => {
    expect(ids(steady([], [content("a", 100), content("b", 99)], false))).toEqual(["a", "b"]);
  });

  it("does not change for a hair's breadth", () => {
    expect(ids(steady(["a", "b"], [content("b", 104), content("a", 100)], false))).toEqual(["a", "b"]);
  });

  it("changes when one clearly outdoes the other", () => {
    expect(ids(steady(["a", "b"], [content("b", 106), content("a", 100)], false))).toEqual(["b", "a"]);
  });

  it("stands still while it is held, and new contents come last", () => {
    const live = [content("new", 900), content("b", 500), content("a", 1)];
    expect(ids(steady(["a", "b"], live, true))).toEqual(["a", "b", "new"]);
  });

  it("loses and doubles nobody", () => {
    fc.assert(
      fc.property(names, contents, fc.boolean(), (before, live, held) => {
        expect(ids(steady(before, live, held)).sort()).toEqual(ids(live).sort());
      }),
    );
  });

  it("never has one directly below another that it clearly outdoes, unless it is held", () => {
    fc.assert(
      fc.property(names, contents, (before, live) => {
        const ordered = steady(before, live, false);
        ordered.slice(1).forEach((below, index) => {
          expect(below.concurrent).toBeLessThanOrEqual((ordered[index]?.concurrent ?? 0) * 1.05);
        });
      }),
    );
  });

  it("rests once it is in order", () => {
    fc.assert(
      fc.property(names, contents, (before, live) => {
        const once = steady(before, live, false);
        expect(ids(steady(ids(once), live, false))).toEqual(ids(once));
      }),
    );
  });

  it("keeps the places of all that stood there while it is held", () => {
    fc.assert(
      fc.property(names, contents, (before, live) => {
        const there = before.filter((id) => live.some(({ content_id }) => content_id === id));
        expect(ids(steady(before, live, true)).slice(0, there.length)).toEqual(there);
      }),
    );
  });
});
