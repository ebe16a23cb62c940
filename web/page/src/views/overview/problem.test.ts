import { beforeAll, describe, expect, it } from "vitest";

import { setLocale } from "../../i18n/locale.ts";
import { detailOf } from "./problem.ts";

describe("a problem", () => {
  beforeAll(() => setLocale("en", false));

  it.each([
    ["stalling", 0.042, 0.02, "4.2% (limit 2%)"],
    ["slow_start", 6_100, 5_000, "6.1 sec (limit 5 sec)"],
    ["errors", 0.25, 0.1, "0.25 per viewer (limit 0.1 per viewer)"],
    ["sudden_drop", 0.41, 0.3, "41% (limit 30%)"],
    ["no_reports", 90, 30, "1.5 min (limit 30 sec)"],
    ["late_start", 180, 60, "3 min (limit 1 min)"],
    ["something_new", 3, 2, "3 (limit 2)"],
  ])("of code %s is told in its own unit", (code, value, limit, told) => {
    expect(detailOf({ code, value, limit })).toBe(told);
  });

  it("without numbers says no more than its word", () => {
    expect(detailOf({ code: "stalling", value: null, limit: null })).toBe("");
  });
});
