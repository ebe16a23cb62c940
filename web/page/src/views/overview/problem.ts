import { html } from "lit";

import type { Problem } from "../../api/types.ts";
import { decimal, duration, percent } from "../../i18n/format.ts";
import { t, worded } from "../../i18n/locale.ts";
import "../../parts/gs-badge.ts";

const inSeconds = (seconds: number): string => duration(seconds * 1_000);

/** How a problem's value and limit are written, by the units of docs/metrics.md. */
const WRITTEN: Record<string, (value: number) => string> = {
  stalling: percent,
  slow_start: duration,
  errors: (value) => t("overview.per_viewer", { number: decimal(value) }),
  sudden_drop: percent,
  no_reports: inSeconds,
  late_start: inSeconds,
};

/** What was found and the limit that it reached; codes that are not known are numbers. */
export function detailOf({ code, value, limit }: Problem): string {
  const written = WRITTEN[code] ?? decimal;
  if (value === null) return "";
  return limit === null
    ? written(value)
    : t("overview.problem_detail", { value: written(value), limit: written(limit) });
}

/** A badge for each problem. */
export const badges = (problems: Problem[]) =>
  problems.map(
    (problem) =>
      html`<gs-badge
        label=${worded("overview.problem_", problem.code)}
        detail=${detailOf(problem)}
      ></gs-badge>`,
  );
