import { html, nothing } from "lit";

import type { FunctionHealth } from "../../api/types.ts";
import { clock, count, duration, percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import type { Column } from "../../parts/table.ts";
import { perSecond } from "./verdict.ts";
import { functionName, stateMark } from "./words.ts";

/** Every function in a table. */
export const functionColumns = (): Column<FunctionHealth>[] => [
  {
    label: t("health.function"),
    shown: (row) => html`<bdi>${functionName(row.name)}</bdi>`,
    raw: (row) => row.name,
  },
  {
    label: t("health.state"),
    definition: "Health/state",
    shown: (row) => stateMark(row.state),
    raw: (row) => row.state,
  },
  {
    label: t("health.events_in"),
    definition: "Health/events_in_per_second",
    number: true,
    shown: (row) => perSecond(row.events_in_per_second),
    raw: (row) => row.events_in_per_second,
  },
  {
    label: t("health.events_out"),
    definition: "Health/events_out_per_second",
    number: true,
    shown: (row) => perSecond(row.events_out_per_second),
    raw: (row) => row.events_out_per_second,
  },
  {
    label: t("health.calls"),
    definition: "Health/calls_per_second",
    number: true,
    shown: (row) => perSecond(row.calls_per_second),
    raw: (row) => row.calls_per_second,
  },
  {
    label: t("health.failures"),
    definition: "Health/failures_per_second",
    number: true,
    shown: (row) => perSecond(row.failures_per_second),
    raw: (row) => row.failures_per_second,
  },
  {
    label: t("health.busy_share"),
    definition: "Health/busy",
    number: true,
    shown: (row) => percent(row.busy),
    raw: (row) => row.busy,
  },
  {
    label: t("health.duration_p50"),
    definition: "Health/duration_ms_p50",
    number: true,
    shown: (row) => duration(row.duration_ms_p50),
    raw: (row) => row.duration_ms_p50,
  },
  {
    label: t("health.duration_p99"),
    definition: "Health/duration_ms_p99",
    number: true,
    shown: (row) => duration(row.duration_ms_p99),
    raw: (row) => row.duration_ms_p99,
  },
  {
    label: t("health.waiting"),
    definition: "Health/waiting",
    number: true,
    shown: (row) => count(row.waiting),
    raw: (row) => row.waiting,
  },
  {
    label: t("health.oldest"),
    definition: "Health/oldest_ms",
    number: true,
    shown: (row) => duration(row.oldest_ms),
    raw: (row) => row.oldest_ms,
  },
  {
    label: t("health.parked"),
    definition: "Health/parked",
    number: true,
    shown: (row) => count(row.parked),
    raw: (row) => row.parked,
  },
  {
    label: t("health.instances"),
    definition: "Health/instances",
    number: true,
    shown: (row) => count(row.instances),
    raw: (row) => row.instances,
  },
  {
    label: t("health.last_seen"),
    definition: "Health/last_seen",
    shown: (row) =>
      row.last_seen === null
        ? t("health.never")
        : html`<span class="moment">${clock(Date.parse(row.last_seen))}</span>`,
    raw: (row) => row.last_seen,
  },
  {
    label: t("health.last_error"),
    definition: "Health/last_error",
    shown: ({ last_error }) =>
      last_error ? html`<div class="error">${errorTold(last_error)}</div>` : nothing,
    raw: (row) => row.last_error?.reason ?? null,
  },
];

/** When something failed last, and the suite's own words for why. */
export const errorTold = ({ at, reason }: NonNullable<FunctionHealth["last_error"]>) => html`
  ${clock(Date.parse(at))} <bdi class="reason" lang="en">${reason}</bdi>
`;
