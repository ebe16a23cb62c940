import type { AudienceWindow } from "../../api/types.ts";
import { bitrate, compact, count, duration, percent, rate } from "../../i18n/format.ts";
import { t, type MessageKey } from "../../i18n/locale.ts";
import type { ChartSeries } from "../../parts/chart/gs-chart.ts";

/** A chart of the view: what of each window it shows. */
export interface Curve {
  name: "concurrent" | "coming" | "engagement" | "watched" | "rebuffering" | "startup" | "bitrate" | "errors";
  /** The key in docs/metrics.md. */
  definition: string;
  series: CurveSeries[];
  axis: (value: number) => string;
  /** How far apart the axis' numbers may be. */
  steps?: readonly number[];
}

interface CurveSeries {
  label: MessageKey;
  style: NonNullable<ChartSeries["style"]>;
  value: (window: AudienceWindow) => number | null;
  error?: (window: AudienceWindow) => number;
  /** Grows with the window's length: told for a minute. */
  sum?: boolean;
  format: (value: number | null) => string;
  unit: string;
}

const MINUTE_MS = 60_000;
/** Whoever reports seldom is seen 90 s apart (docs/metrics.md, "concurrent"): only longer silence breaks a curve. */
const SILENCE_MS = 90_000;

/** Steps between whole numbers. */
export const WHOLE = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();
/** Steps between times that are round on a clock, in ms. */
const ROUND = [
  ...WHOLE.filter((ms) => ms < 1_000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800].map((seconds) => seconds * 1_000),
  ...WHOLE.map((hours) => hours * 3_600_000),
];

/** Who went: by closing the player, or at the end. */
export const left = ({ stop = 0, complete = 0 }: Record<string, number>): number => stop + complete;

/** All charts of a content, the audience first. */
export const CURVES: Curve[] = [
  {
    name: "concurrent",
    definition: "concurrent",
    axis: compact,
    steps: WHOLE,
    series: [
      {
        label: "content.concurrent_line",
        style: "line",
        value: (window) => window.concurrent,
        error: (window) => window.concurrent_error,
        format: count,
        unit: "viewers",
      },
    ],
  },
  {
    name: "coming",
    definition: "events",
    axis: compact,
    steps: WHOLE,
    series: [
      {
        label: "content.joins",
        style: "step",
        value: ({ events }) => events.join ?? 0,
        sum: true,
        format: rate,
        unit: "1/min",
      },
      {
        label: "content.leaves",
        style: "step",
        value: ({ events }) => left(events),
        sum: true,
        format: rate,
        unit: "1/min",
      },
    ],
  },
  {
    name: "engagement",
    definition: "engagement_rate",
    axis: percent,
    series: [
      {
        label: "content.engagement",
        style: "line",
        value: (window) => window.engagement_rate,
        format: percent,
        unit: "0–1",
      },
    ],
  },
  {
    name: "watched",
    definition: "watched_ms",
    axis: duration,
    steps: ROUND,
    series: [
      {
        label: "content.watched",
        style: "bars",
        value: (window) => window.watched_ms,
        error: (window) => window.watched_ms_error,
        sum: true,
        format: duration,
        unit: "ms/min",
      },
    ],
  },
  {
    name: "rebuffering",
    definition: "rebuffering_ratio",
    axis: percent,
    series: [
      {
        label: "content.rebuffering",
        style: "line",
        value: (window) => window.rebuffering_ratio,
        format: percent,
        unit: "0–1",
      },
    ],
  },
  {
    name: "startup",
    definition: "startup_ms_p50",
    axis: duration,
    steps: ROUND,
    series: [
      {
        label: "content.startup_p50",
        style: "line",
        value: (window) => window.startup_ms_p50,
        format: duration,
        unit: "ms",
      },
      {
        label: "content.startup_p95",
        style: "line",
        value: (window) => window.startup_ms_p95,
        format: duration,
        unit: "ms",
      },
    ],
  },
  {
    name: "bitrate",
    definition: "bitrate_kbps",
    axis: bitrate,
    series: [
      {
        label: "content.bitrate",
        style: "line",
        value: (window) => window.bitrate_kbps,
        format: bitrate,
        unit: "kbit/s",
      },
    ],
  },
  {
    name: "errors",
    definition: "errors",
    axis: compact,
    steps: WHOLE,
    series: [
      {
        label: "content.errors",
        style: "bars",
        value: (window) => window.errors,
        sum: true,
        format: rate,
        unit: "1/min",
      },
    ],
  },
];

/** A chart's times, with a gap where nothing was reported for long; `at` names the window of each, null in a gap. */
export interface Grid {
  times: number[];
  windows: (AudienceWindow | null)[];
}

/** The windows that are drawn: a running window of five seconds is left out, it would always seem to fall. */
export function gridOf(windows: AudienceWindow[], step: number, now: number): Grid {
  const grid: Grid = { times: [], windows: [] };
  for (const window of windows) {
    const start = Date.parse(window.start);
    if (step < MINUTE_MS && start + step > now) continue;
    const before = grid.times.at(-1);
    if (before !== undefined && start - before > Math.max(SILENCE_MS, 2 * step)) {
      grid.times.push(before + step);
      grid.windows.push(null);
    }
    grid.times.push(start);
    grid.windows.push(window);
  }
  return grid;
}

/** A curve's series for a chart. A sum of a window that still runs is not known yet. */
export function seriesOf(curve: Curve, { times, windows }: Grid, step: number, now: number): ChartSeries[] {
  return curve.series.map(({ label, style, value, error, sum, format, unit }) => {
    const factor = sum ? MINUTE_MS / step : 1;
    const told = (figure: (window: AudienceWindow) => number | null) =>
      windows.map((window, at) => {
        if (!window || (sum && (times[at] ?? 0) + step > now)) return null;
        const found = figure(window);
        return found === null ? null : found * factor;
      });
    return {
      label: t(label),
      style,
      format,
      unit,
      values: told(value),
      ...(error ? { error: told(error) } : {}),
    };
  });
}
