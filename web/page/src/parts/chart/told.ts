import type { ChartSeries } from "./model.ts";

/** A value as people read it: "1,234 ± 12", the error only where there is one. */
export function withError({ format }: ChartSeries, value: number | null, error: number | null): string {
  return value !== null && error ? `${format(value)} ± ${format(error)}` : format(value);
}
