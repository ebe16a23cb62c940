import { t } from "../i18n/locale.ts";
import { firstFrom, type ChartModel, type ChartSeries } from "../parts/chart/model.ts";
import { nameOf } from "../parts/chart/marks.ts";
import { csv, type Cell } from "./csv.ts";

export interface Titled {
  heading: string;
  /** What it is of. */
  subject: string;
}

/** A chart as CSV: what it is, of what, for when; then a row for each time that is shown, with errors and marks. */
export function chartCsv({ heading, subject }: Titled, model: ChartModel): string {
  const { times, series, marks, from, to } = model;
  const first = firstFrom(times, from);
  const last = firstFrom(times, to);
  const columns = [
    t("chart.time"),
    ...series.flatMap((one) => [
      named(one),
      ...(one.error ? [t("chart.error_of", { name: one.label })] : []),
    ]),
    ...(marks.length > 0 ? [t("chart.marks")] : []),
  ];
  const rows = times.slice(first, last).map((time, offset): Cell[] => {
    const at = first + offset;
    return [
      rfc3339(time),
      ...series.flatMap(({ values, error }) => [values[at] ?? null, ...(error ? [error[at] ?? null] : [])]),
      ...(marks.length > 0 ? [marked(model, at)] : []),
    ];
  });
  const table: Cell[][] = [
    [heading],
    [t("chart.content"), subject],
    [t("chart.from"), rfc3339(from)],
    [t("chart.to"), rfc3339(to)],
    columns,
    ...rows,
  ];
  // RFC 4180: every line has as many fields
  return csv(table.map((row) => columns.map((_, at) => row[at] ?? null)));
}

const named = ({ label, unit }: ChartSeries): string => (unit ? `${label} (${unit})` : label);

/** The marks between this time and the next; before the first time, with the first. */
function marked({ times, marks }: ChartModel, at: number): string {
  const since = at === 0 ? -Infinity : (times[at] ?? 0);
  const until = times[at + 1] ?? Infinity;
  return marks
    .filter((mark) => since <= mark.at && mark.at < until)
    .map(nameOf)
    .join("; ");
}

/** 2026-11-20T12:00:00Z */
const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
