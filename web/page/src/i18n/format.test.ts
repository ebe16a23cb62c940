import { describe, expect, it } from "vitest";

import { change, count, decimal, duration, fromTo, percent, relative } from "./format.ts";
import { setLocale, type Locale } from "./locale.ts";

const MINUTE = 60_000;

describe("figures", () => {
  it.each([
    ["en", "12,345"],
    ["de", "12.345"],
    ["fr", "12\u202f345"],
    ["es", "12.345"],
    ["hi", "12,345"],
  ] as [Locale, string][])("are written as in %s: %s", async (locale, written) => {
    await setLocale(locale, false);
    expect(count(12_345)).toBe(written);
  });

  it("tell which way they went by a sign", async () => {
    await setLocale("en", false);
    expect([change(12), change(-3), change(0)]).toEqual(["+12", "-3", "0"]);
  });

  it("that are not known are a dash and never a zero", () => {
    expect([count(null), change(undefined), percent(null), duration(null), decimal(null)]).toEqual(
      Array(5).fill("–"),
    );
  });
});

describe("a moment", () => {
  it.each([
    [12 * MINUTE, "in 12 minutes"],
    [-MINUTE, "1 minute ago"],
    [30_000, "this minute"],
    [-30_000, "this minute"],
    [59.9 * MINUTE, "in 59 minutes"],
    [90 * MINUTE, "in 2 hours"],
    [-26 * 60 * MINUTE, "yesterday"],
    [3 * 24 * 60 * MINUTE, "in 3 days"],
  ])("%i ms from now is “%s”", async (ms, written) => {
    await setLocale("en", false);
    expect(relative(1_000_000_000 + ms, 1_000_000_000)).toBe(written);
  });

  it("is tomorrow only where the calendar says so", async () => {
    await setLocale("en", false);
    const evening = new Date(2026, 10, 20, 20).getTime();
    expect(relative(new Date(2026, 10, 21, 21).getTime(), evening)).toBe("tomorrow");
    expect(relative(new Date(2026, 10, 22, 2).getTime(), evening)).toBe("in 2 days");
  });

  it("and another of the same day share the day's name", async () => {
    await setLocale("en", false);
    const from = new Date(2026, 10, 20, 18, 4).getTime();
    expect(fromTo(from, from + 60 * MINUTE).match(/Nov/g)).toHaveLength(1);
    expect(fromTo(from, from + 24 * 60 * MINUTE).match(/Nov/g)).toHaveLength(2);
  });

  it("is told in the language that is spoken", async () => {
    await setLocale("es", false);
    expect(relative(12 * MINUTE, 0)).toBe("dentro de 12 minutos");
    await setLocale("ar", false);
    expect(relative(2 * MINUTE, 0)).toBe("خلال دقيقتين");
  });
});
