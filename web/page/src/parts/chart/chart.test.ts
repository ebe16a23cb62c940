import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { chartCsv } from "../../export/chart-csv.ts";
import { setLocale } from "../../i18n/locale.ts";
import { columns } from "./columns.ts";
import { deedOf } from "./keys.ts";
import { firstFrom, nearest, zoomed, type ChartModel } from "./model.ts";
import { veiled } from "./palette.ts";
import { tableOf } from "./table.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-11-20T18:00:00Z");

function model(over: Partial<ChartModel> = {}): ChartModel {
  const times = [0, 1, 2, 3].map((minute) => START + minute * MINUTE);
  const series = [
    {
      label: "Viewers",
      values: [10, null, 30, -5],
      error: [0, null, 2, 1],
      format: String,
    },
  ];
  return {
    times,
    series,
    marks: [],
    stacked: false,
    axis: String,
    steps: null,
    logarithmic: false,
    from: START,
    to: START + 4 * MINUTE,
    ...over,
  };
}
const key = (name: string, shiftKey = false) => ({
  key: name,
  shiftKey,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
});

beforeAll(() => setLocale("en", false));

describe("a chart's columns", () => {
  it("have a band of two standard errors, and none where a value is exact", () => {
    expect(columns(model()).slice(1)).toEqual([
      [10, null, 30, -5],
      [null, null, 34, 0],
      [null, null, 26, 0],
    ]);
  });

  it("stand on each other when stacked", () => {
    const series = [
      [1, 2],
      [10, null],
      [100, 200],
    ].map((values) => ({ label: "", values, format: String }));
    expect(columns(model({ times: [1, 2], series, stacked: true })).slice(1)).toEqual([
      [1, 2],
      [11, null],
      [111, 202],
    ]);
  });
});

describe("a chart's times", () => {
  const times = fc.uniqueArray(fc.nat(1_000)).map((all) => all.sort((a, b) => a - b));

  it("are found by the nearest", () => {
    fc.assert(
      fc.property(times, fc.nat(1_000), (all, at) => {
        const found = nearest(all, at);
        const least = Math.min(...all.map((time) => Math.abs(time - at)));
        expect(found === null ? Infinity : Math.abs((all[found] ?? NaN) - at)).toBe(least);
      }),
    );
  });

  it("are found from an instant on", () => {
    fc.assert(
      fc.property(times, fc.nat(1_000), (all, at) => {
        expect(all.slice(firstFrom(all, at))).toEqual(all.filter((time) => time >= at));
      }),
    );
  });

  it("keep an instant where it is while one zooms about it", () => {
    const span = zoomed({ from: 0, to: 100_000 }, 0.5, 20_000);
    expect(span).toEqual({ from: 10_000, to: 60_000 });
    expect(zoomed({ from: 0, to: 10_000 }, 0.5, 5_000)).toEqual({ from: 0, to: 10_000 });
  });
});

describe("a chart's keys", () => {
  it("move the cursor along what is shown, and no further", () => {
    expect(deedOf(key("ArrowLeft"), model(), null)).toEqual({ move: START + 3 * MINUTE });
    expect(deedOf(key("ArrowLeft"), model(), START + MINUTE)).toEqual({ move: START });
    expect(deedOf(key("ArrowLeft"), model(), START)).toEqual({ move: START });
    expect(deedOf(key("End"), model({ to: START + 2 * MINUTE }), START)).toEqual({ move: START + MINUTE });
    expect(deedOf(key("ArrowRight", true), model(), START)).toEqual({ move: START + 3 * MINUTE });
  });

  it("zoom, reset, and leave all others alone", () => {
    expect(deedOf(key("+"), model(), null)).toEqual({
      zoom: { from: START + MINUTE, to: START + 3 * MINUTE },
    });
    expect(deedOf(key("Escape"), model(), START)).toEqual({ reset: true });
    expect(deedOf(key("m"), model(), START)).toBeNull();
    expect(deedOf({ ...key("ArrowLeft"), altKey: true }, model(), START)).toBeNull();
    expect(deedOf(key("ArrowLeft"), model({ times: [] }), null)).toBeNull();
  });
});

describe("a chart's table", () => {
  it("has the newest first, means of what is known, and the marks of each row", () => {
    const marks = [{ at: START + MINUTE + 1, label: "1 : 0", kind: "goal" }];
    const { step, rows } = tableOf(model({ marks, to: START + 120 * MINUTE }));
    expect(step).toBe(5 * MINUTE);
    expect(rows).toEqual([{ at: START, values: [35 / 3], errors: [1], marks }]);
  });

  it("never has more rows than one can follow, and leaves none of the values out", () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.integer({ min: 10_000, max: 400 * 86_400_000 }), (count, length) => {
        const times = Array.from(
          { length: count },
          (_, at) => START + Math.floor((at * length) / (count + 1)),
        );
        const series = [{ label: "", values: times.map(() => 1), format: String }];
        const { step, rows } = tableOf(model({ times, series, to: START + length }));
        expect(rows.length).toBeLessThanOrEqual(40);
        expect(new Set(rows.map(({ at }) => at))).toEqual(
          new Set(times.map((time) => Math.floor(time / step) * step)),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe("a chart's CSV", () => {
  it("says what it is, of what and for when, and holds plain numbers", () => {
    const marks = [{ at: START + 2 * MINUTE, label: "=1+1", kind: "goal" }];
    const text = chartCsv({ heading: "Concurrent viewers", subject: "-final" }, model({ marks }));
    expect(text.split("\r\n")).toEqual([
      "\uFEFFConcurrent viewers,,,",
      "Content,'-final,,",
      "From,2026-11-20T18:00:00Z,,",
      "To,2026-11-20T18:04:00Z,,",
      "Time,Viewers,Viewers: standard error,Marks",
      "2026-11-20T18:00:00Z,10,0,",
      "2026-11-20T18:01:00Z,,,",
      "2026-11-20T18:02:00Z,30,2,'=1+1",
      "2026-11-20T18:03:00Z,-5,1,",
      "",
    ]);
  });
});

describe("a theme's colour", () => {
  it("is made see-through, however it is written", () => {
    expect(veiled("#0b5cad", 0.5)).toBe("#0b5cad80");
    expect(veiled("#fff", 1)).toBe("#ffffffff");
    expect(veiled("red", 0.5)).toBe("red");
  });
});
