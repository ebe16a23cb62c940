import { beforeAll, describe, expect, it } from "vitest";

import type { AudienceWindow } from "../../api/types.ts";
import { setLocale } from "../../i18n/locale.ts";
import { CURVES, gridOf, seriesOf, type Curve } from "./curves.ts";
import { drawnValues, shareSeries, sharesIn } from "./shares.ts";

const START = Date.parse("2026-11-20T18:00:00Z");
const MINUTE = 60_000;

const window = (at: number, over: Partial<AudienceWindow> = {}): AudienceWindow =>
  ({
    start: new Date(at).toISOString(),
    viewers: 10,
    concurrent: 8,
    concurrent_error: 0,
    events: { join: 2 },
    by: {},
    ...over,
  }) as AudienceWindow;

const curve = (name: Curve["name"]): Curve => {
  const found = CURVES.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

beforeAll(() => setLocale("en", false));

describe("a content's curves", () => {
  it("break where nothing was reported for longer than players may be silent", () => {
    const far = START + 95_000 + 5_000;
    const { times, windows } = gridOf(
      [window(START), window(START + 5_000), window(far + 5_000)],
      5_000,
      Infinity,
    );
    expect(times).toEqual([START, START + 5_000, START + 10_000, far + 5_000]);
    expect(windows.map(Boolean)).toEqual([true, true, false, true]);
  });

  it("go on over a window or two without events", () => {
    expect(gridOf([window(START), window(START + 30_000)], 5_000, Infinity).times).toHaveLength(2);
  });

  it("leave the running five seconds out", () => {
    expect(gridOf([window(START), window(START + 5_000)], 5_000, START + 7_000).times).toEqual([START]);
  });

  it("tell sums for a minute, whatever the windows' length", () => {
    const grid = gridOf([window(START)], 5_000, START + MINUTE);
    const [joins, leaves] = seriesOf(curve("coming"), grid, 5_000, START + MINUTE);
    expect(joins?.values).toEqual([24]);
    expect(leaves?.values).toEqual([0]);
  });

  it("do not tell the sum of a minute that still runs, but who is watching", () => {
    const grid = gridOf([window(START)], MINUTE, START + 30_000);
    expect(seriesOf(curve("coming"), grid, MINUTE, START + 30_000)[0]?.values).toEqual([null]);
    expect(seriesOf(curve("concurrent"), grid, MINUTE, START + 30_000)[0]?.values).toEqual([8]);
  });
});

describe("the parts of an audience", () => {
  const share = (value: string | null, viewers: number) => ({ value, viewers, viewers_error: 0, events: 1 });
  const windows = [
    window(START, { by: { country: [share("FR", 6), share("DE", 4), share(null, 2)] } }),
    window(START + MINUTE, { by: { country: [share("DE", 9)] } }),
  ];

  it("keep their colours while one overtakes the other", () => {
    expect(drawnValues(windows, "country", [])).toEqual(["DE", "FR"]);
    expect(drawnValues(windows.slice(0, 1), "country", [])).toEqual(["DE", "FR"]);
  });

  it("are those that were chosen, once there are two", () => {
    expect(drawnValues(windows, "country", ["PL"])).toEqual(["DE", "FR"]);
    expect(drawnValues(windows, "country", ["PL", "DE"])).toEqual(["PL", "DE"]);
  });

  it("are nobody where a window names others alone", () => {
    const [, france] = shareSeries(gridOf(windows, MINUTE, Infinity), "country", ["DE", "FR"]);
    expect(france?.values).toEqual([6, 0]);
  });

  it("stand in order of their viewers, all others last", () => {
    expect(sharesIn(windows[0], "country").map(({ value, share }) => [value, share])).toEqual([
      ["FR", 0.6],
      ["DE", 0.4],
      [null, 0.2],
    ]);
  });
});
