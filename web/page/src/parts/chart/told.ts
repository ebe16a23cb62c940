import { clock, dayAndClock } from "../../i18n/format.ts";
import type { ChartSeries, Span } from "./model.ts";

const DAY_MS = 86_400_000;

/** An instant as it is told within a stretch of time: with its day where the stretch is longer than one. */
export const timeIn = ({ from, to }: Span, at: number): string =>
  to - from > DAY_MS ? dayAndClock(at) : clock(at);

/** A value as people read it: "1,234 ± 12", the error only where there is one. */
export function withError({ format }: ChartSeries, value: number | null, error: number | null): string {
  return value !== null && error ? `${format(value)} ± ${format(error)}` : format(value);
}
