import { describe, expect, it } from "vitest";

import type { Segment } from "../../api/types.ts";
import { difference, MEASURES, type Measure } from "./differences.ts";

const base: Segment = {
  value: "mobile",
  viewers: 100,
  watched_ms: 100_000,
  engaged_viewers: 10,
  engagement_rate: 0.1,
  startups: 50,
  startup_ms_p50: 800,
  stalls: 10,
  stall_ms: 1_000,
  rebuffering_ratio: 0.01,
  bitrate_kbps: 3_000,
  errors: 0,
};
const measure = (name: Measure["name"]): Measure => {
  const found = MEASURES.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("a segment compared with the first one", () => {
  it("is better with less of what nobody wants", () => {
    const told = difference(measure("rebuffering"), { ...base, rebuffering_ratio: 0.005 }, base);
    expect(told).toEqual({ relative: -0.5, verdict: "better" });
    expect(difference(measure("startup"), { ...base, startup_ms_p50: 1_600 }, base)).toEqual({
      relative: 1,
      verdict: "worse",
    });
  });

  it("is no better for being larger", () => {
    expect(difference(measure("viewers"), { ...base, viewers: 200 }, base)?.verdict).toBe("more");
    expect(difference(measure("watched"), { ...base, viewers: 200, watched_ms: 200_000 }, base)).toEqual({
      relative: 0,
      verdict: "same",
    });
  });

  it("is worse than nothing without a number for it", () => {
    expect(difference(measure("errors"), { ...base, errors: 3 }, base)).toEqual({
      relative: null,
      verdict: "worse",
    });
  });

  it("tells nothing of what is not known", () => {
    expect(difference(measure("startup"), { ...base, startup_ms_p50: null }, base)).toBeNull();
  });
});
