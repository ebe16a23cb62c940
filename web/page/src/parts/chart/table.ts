import { firstFrom, type ChartMark, type ChartModel } from "./model.ts";

/** A row of the table: the means over [at, at + step) of each series, and what was marked in it. */
export interface Row {
  at: number;
  values: (number | null)[];
  errors: (number | null)[];
  marks: ChartMark[];
}

export interface Table {
  /** How long a row is, ms. */
  step: number;
  /** Newest first. */
  rows: Row[];
}

const MOST_ROWS = 40;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12, 24, 168, 672].map((hours) => hours * HOUR),
];

/** What a chart shows, in as many rows as one can follow: the shortest step that gives no more than forty. */
export function tableOf({ times, series, marks, from, to }: ChartModel): Table {
  const step =
    STEPS.find((one) => Math.ceil(to / one) - Math.floor(from / one) <= MOST_ROWS) ?? STEPS.at(-1) ?? HOUR;
  const rows: Row[] = [];
  const end = firstFrom(times, to);
  for (let begin = firstFrom(times, from); begin < end;) {
    const at = Math.floor((times[begin] ?? 0) / step) * step;
    const next = Math.min(end, firstFrom(times, at + step));
    rows.push({
      at,
      values: series.map(({ values }) => mean(values.slice(begin, next))),
      errors: series.map(({ error }) => (error ? mean(error.slice(begin, next)) : null)),
      marks: marks.filter((mark) => at <= mark.at && mark.at < at + step),
    });
    begin = next;
  }
  return { step, rows: rows.reverse() };
}

function mean(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
