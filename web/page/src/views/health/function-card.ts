import { css, html, nothing } from "lit";

import type { FunctionHealth } from "../../api/types.ts";
import { clock, count, duration, percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { bar } from "../../parts/bar.ts";
import { errorTold } from "./function-columns.ts";
import { perSecond } from "./verdict.ts";
import { functionName, stateMark } from "./words.ts";

export const cardStyles = css`
  .function {
    display: grid;
    align-content: start;
    gap: 6px;
    min-width: 0;
    padding: 10px 12px;
  }
  .function.blamed {
    padding: 9px 11px;
    border: 2px solid var(--bad);
  }
  .name {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 8px;
  }
  h4 {
    margin: 0;
    font-size: 1rem;
    overflow-wrap: anywhere;
  }
  dl {
    display: grid;
    grid-template-columns: minmax(0, auto) auto;
    gap: 2px 12px;
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }
  dt {
    color: var(--quiet);
  }
  dd {
    text-align: end;
  }
  .events {
    font-size: 1.125rem;
    font-weight: 650;
    line-height: 1.2;
  }
  .small {
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }
`;

/** A function at a glance: what of it matters in its kind. The table tells all. */
export const functionCard = (one: FunctionHealth, blamed: boolean) => html`
  <li class=${blamed ? "card function blamed" : "card function"}>
    <div class="name">
      <h4><bdi>${functionName(one.name)}</bdi></h4>
      ${stateMark(one.state)}
    </div>
    <dl>${facts(one).map(([label, value, big]) => fact(label, value, big))}</dl>
    ${one.busy === null ? nothing : bar(one.busy)}
    <p class="quiet small number">
      ${
        one.last_seen === null
          ? t("health.never_seen")
          : t("health.seen", { count: one.instances, time: clock(Date.parse(one.last_seen)) })
      }
    </p>
    ${one.last_error ? html`<p class="small">✕ ${errorTold(one.last_error)}</p>` : nothing}
  </li>
`;

const fact = (label: string, value: string, big = false) => html`
  <dt>${label}</dt>
  <dd class=${big ? "events" : nothing}>${value}</dd>
`;

function facts(one: FunctionHealth): [label: string, value: string, big?: boolean][] {
  const told: [label: string, value: string | null, big?: boolean][] = [
    [
      t("health.events_in"),
      one.events_in_per_second === null ? null : perSecond(one.events_in_per_second),
      true,
    ],
    [
      t("health.events_out"),
      one.events_out_per_second === null ? null : perSecond(one.events_out_per_second),
      true,
    ],
    [t("health.calls"), one.kind === "http" ? perSecond(one.calls_per_second) : null],
    [t("health.failures"), one.failures_per_second > 0 ? perSecond(one.failures_per_second) : null],
    [t("health.waiting"), one.waiting === null ? null : waiting(one.waiting, one.oldest_ms)],
    [t("health.parked"), one.parked ? count(one.parked) : null],
    [t("health.durations"), one.duration_ms_p50 === null ? null : durations(one)],
    [t("health.busy_share"), one.busy === null ? null : percent(one.busy)],
  ];
  return told.flatMap(([label, value, big]) => (value === null ? [] : [[label, value, big ?? false]]));
}

const waiting = (records: number, oldestMs: number | null): string =>
  oldestMs ? t("health.pair", { one: count(records), other: duration(oldestMs) }) : count(records);

const durations = ({ duration_ms_p50, duration_ms_p99 }: FunctionHealth): string =>
  t("health.pair", { one: duration(duration_ms_p50), other: duration(duration_ms_p99) });
