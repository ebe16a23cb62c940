import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Letter } from "../../api/types.ts";
import { contentOf, grouped, lots, reasonsOf } from "./letters.ts";

const letter = (record_id: string, details: Partial<Letter> = {}): Letter => ({
  record_id,
  key: "final#0",
  function: "aggregate",
  reason: "corrupt",
  dead_at: "2026-11-20T12:00:00Z",
  first_appended_at: "2026-11-20T12:00:00Z",
  bytes: 100,
  ...details,
});

describe("dead letters", () => {
  it("stand together by function and reason, the largest group and the newest letters first", () => {
    const groups = grouped([
      letter("a", { reason: "<b>odd</b>" }),
      letter("b"),
      letter("c", { dead_at: "2026-11-20T13:00:00Z" }),
      letter("d", { function: "archive" }),
    ]);

    expect(
      groups.map((group) => [group.function, group.reason, group.letters.map((one) => one.record_id)]),
    ).toEqual([
      ["aggregate", "corrupt", ["c", "b"]],
      ["aggregate", "<b>odd</b>", ["a"]],
      ["archive", "corrupt", ["d"]],
    ]);
  });

  it("are each in one group, however often a page repeats them", () => {
    const some = fc.array(
      fc.record({ id: fc.nat(20), function: fc.constantFrom("aggregate", "archive"), reason: fc.string() }),
    );
    fc.assert(
      fc.property(some, (told) => {
        const letters = told.map(({ id, ...rest }) => letter(String(id), rest));
        const ids = grouped(letters).flatMap((group) => group.letters.map((one) => one.record_id));
        expect(ids.sort()).toEqual([...new Set(letters.map((one) => one.record_id))].sort());
      }),
    );
  });

  it("name their content, in which the sign before the partition may stand too", () => {
    expect(contentOf(letter("a", { key: "match#7#12" }))).toBe("match#7");
  });

  it("are replayed in lots", () => {
    const ids = Array.from({ length: 401 }, (_, index) => String(index));

    expect(lots(ids).map((lot) => lot.length)).toEqual([200, 200, 1]);
    expect(lots(ids).flat()).toEqual(ids);
  });

  it("that were refused are told by reason, the most frequent first", () => {
    expect(reasonsOf([{ reason: "gone" }, { reason: "old" }, { reason: "old" }])).toEqual([
      ["old", 2],
      ["gone", 1],
    ]);
  });
});
