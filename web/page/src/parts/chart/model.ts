/** One curve (or row of bars) of a chart: `values[i]` is at the chart's `times[i]`; null is not known. */
export interface ChartSeries {
  label: string;
  values: (number | null)[];
  /** One standard error of each value; a band of two of them is drawn where it is above 0. */
  error?: (number | null)[];
  style?: "line" | "bars" | "step";
  format: (value: number | null) => string;
  /** Lengths of stroke and space in CSS px; each curve has one of its own where unset. */
  dash?: number[];
  /** The unit of the plain numbers in an export: "ms". */
  unit?: string;
}

/** A moment that somebody marked. */
export interface ChartMark {
  at: number;
  label: string;
  kind: string;
}

/** A stretch of time, [from, to), in ms since the epoch. */
export interface Span {
  from: number;
  to: number;
}

/** What is drawn, at once. */
export interface ChartModel extends Span {
  times: number[];
  series: ChartSeries[];
  marks: ChartMark[];
  stacked: boolean;
  /** How a number is written on the axis. */
  axis: (value: number) => string;
  /** How far apart the axis' numbers may be; any power of ten, its double and half where unset. */
  steps: readonly number[] | null;
  /** Whether the axis is logarithmic, for what differs by orders of magnitude; all values are above 0 then. */
  logarithmic: boolean;
}

/** How each curve is stroked when it does not say so itself: told apart without colour. */
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [14, 5], [2, 6], [8, 3, 2, 3, 2, 3]];

export const dashOf = (series: Pick<ChartSeries, "dash">, index: number): number[] =>
  series.dash ?? DASHES[index % DASHES.length] ?? [];

const SHORTEST_MS = 10_000;

/** The span made `factor` times as long about an instant in it, never shorter than ten seconds. */
export function zoomed({ from, to }: Span, factor: number, about: number): Span {
  const length = Math.max(SHORTEST_MS, (to - from) * factor);
  const share = (about - from) / (to - from);
  const start = Math.round(about - share * length);
  return { from: start, to: Math.round(start + length) };
}

/** The index of the time nearest to an instant; null where there are none. `times` ascend. */
export function nearest(times: number[], at: number): number | null {
  if (times.length === 0) return null;
  const after = firstFrom(times, at);
  const before = after - 1;
  if (after >= times.length) return before;
  if (before < 0) return after;
  return at - (times[before] ?? 0) <= (times[after] ?? 0) - at ? before : after;
}

/** The index of the first time that is `at` or later. */
export function firstFrom(times: number[], at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
