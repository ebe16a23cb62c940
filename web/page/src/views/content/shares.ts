import type { AudienceWindow, Dimension, Share } from "../../api/types.ts";
import type { ChartSeries } from "../../parts/chart/gs-chart.ts";
import { count } from "../../i18n/format.ts";
import { valueName } from "../../i18n/values.ts";
import type { Grid } from "./curves.ts";

/** How many values are drawn beside each other. */
export const DRAWN = 8;

const sharesOf = (window: AudienceWindow, by: Dimension): Share[] => window.by[by] ?? [];

/**
 * The values that are drawn: those with the most viewers over the whole stretch, in order of their text, so that a curve keeps its colour
 * while they overtake each other. All others together (null) are no value of their own.
 */
export function drawnValues(windows: AudienceWindow[], by: Dimension, compare: string[]): string[] {
  if (compare.length > 1) return compare.slice(0, DRAWN);
  const viewers = new Map<string, number>();
  for (const window of windows)
    for (const { value, viewers: some } of sharesOf(window, by))
      if (value !== null) viewers.set(value, (viewers.get(value) ?? 0) + some);
  return [...viewers]
    .sort((one, other) => other[1] - one[1])
    .slice(0, DRAWN)
    .map(([value]) => value)
    .sort();
}

/** A curve for each value: its viewers in each window; 0 where the window names others, but not it. */
export function shareSeries({ windows }: Grid, by: Dimension, values: string[]): ChartSeries[] {
  return values.map((value) => {
    const found = windows.map(
      (window) => window && (sharesOf(window, by).find((share) => share.value === value) ?? null),
    );
    return {
      label: valueName(by, value),
      style: "line",
      format: count,
      unit: "viewers",
      values: windows.map((window, at) => (window ? (found[at]?.viewers ?? 0) : null)),
      error: windows.map((window, at) => (window ? (found[at]?.viewers_error ?? 0) : null)),
    };
  });
}

export interface ShownShare extends Share {
  /** Of all viewers of the window, 0 to 1. One viewer may count under several values. */
  share: number;
}

/** How the viewers of a window part, the most first, all others last. */
export function sharesIn(window: AudienceWindow | undefined, by: Dimension): ShownShare[] {
  if (!window) return [];
  return sharesOf(window, by)
    .filter(({ viewers }) => viewers > 0)
    .map((share) => ({
      ...share,
      share: window.viewers > 0 ? Math.min(1, share.viewers / window.viewers) : 0,
    }))
    .sort(
      (one, other) =>
        Number(one.value === null) - Number(other.value === null) || other.viewers - one.viewers,
    );
}
