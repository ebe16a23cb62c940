import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Completeness } from "../../api/types.ts";
import { accounts, unaccounted } from "./accounts.ts";

const told = (classes: Partial<Completeness>): Completeness => ({
  from: "2026-11-20T12:00:00Z",
  to: "2026-11-20T13:00:00Z",
  received: 0,
  counted: 0,
  duplicate: 0,
  late: 0,
  rejected: {},
  sampled_out: 0,
  dead_letters: 0,
  ...classes,
});

describe("what became of every event", () => {
  it("names the rejected by reason, the most frequent first", () => {
    const all = accounts(told({ counted: 5, rejected: { ahead: 1, wrong_type: 3 } }));

    expect(all.map(({ name, reason, events }) => [name, reason, events])).toEqual([
      ["counted", null, 5],
      ["duplicate", null, 0],
      ["late", null, 0],
      ["rejected", "wrong_type", 3],
      ["rejected", "ahead", 1],
      ["sampled_out", null, 0],
    ]);
  });

  it("shows the rejected when there are none, too", () => {
    expect(accounts(told({})).map(({ name }) => name)).toContain("rejected");
  });

  it("adds up exactly when every event is in one class, and else says by how many it does not", () => {
    const events = fc.nat(1e9);
    fc.assert(
      fc.property(
        fc.record({ counted: events, duplicate: events, late: events, sampled_out: events }),
        fc.dictionary(fc.string(), events),
        fc.integer({ min: -1_000, max: 1_000 }),
        (classes, rejected, off) => {
          const sum = [...Object.values(classes), ...Object.values(rejected)].reduce((a, b) => a + b, 0);
          expect(unaccounted(told({ ...classes, rejected, received: sum + off }))).toBe(off);
        },
      ),
    );
  });
});
