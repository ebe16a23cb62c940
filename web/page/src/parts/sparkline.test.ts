import { describe, expect, it } from "vitest";

import { areaOf, lineOf } from "./sparkline.ts";

describe("a sparkline", () => {
  it("goes from zero at the foot to its highest value at the top", () => {
    expect(lineOf([0, 50, 100])).toBe("M0 100 L50 50 L100 0");
  });

  it("breaks where nothing is known, rather than drawing a guess", () => {
    expect(lineOf([10, 10, null, 10, 10])).toBe("M0 0 L25 0 M75 0 L100 0");
  });

  it("shows a lone value as a dot", () => {
    expect(lineOf([null, 5, null])).toBe("M50 0 h0");
  });

  it("fills what is under it, run by run", () => {
    expect(areaOf([10, 5, null, 10, 10])).toBe(
      "M0 0 L25 50 L25 100 L0 100 Z M75 0 L100 0 L100 100 L75 100 Z",
    );
  });

  it("lies flat on the foot while nobody watches, and is empty when nothing is known", () => {
    expect(lineOf([0, 0, 0])).toBe("M0 100 L50 100 L100 100");
    expect(lineOf([null, null])).toBe("");
    expect(lineOf([])).toBe("");
  });
});
