import { describe, expect, it } from "vitest";

import { meant, names } from "./choice.ts";

const listed = names([
  { content_id: "final", title: "Final" },
  { content_id: "final", title: null },
  { content_id: "a", title: "News" },
  { content_id: "b", title: "News" },
  { content_id: "c", title: "a" },
  { content_id: "untitled", title: null },
]);

describe("the contents to choose from", () => {
  it("are called by their titles, and by their ids too where that would be ambiguous", () => {
    expect([...listed.values()]).toEqual(["Final", "News (a)", "News (b)", "a (c)", "untitled"]);
  });

  it("are found by what they are called and by their ids", () => {
    expect(["Final", " final ", "News (b)", "a", "untitled"].map((words) => meant(words, listed))).toEqual([
      "final",
      "final",
      "b",
      "a",
      "untitled",
    ]);
  });

  it("need not be listed to be asked for, and nothing is asked for by nothing", () => {
    expect(meant("match#7", listed)).toBe("match#7");
    expect(meant("  ", listed)).toBeNull();
  });
});
