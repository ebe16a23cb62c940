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
    grid-template-columns: auto minmax(0, 1fr);
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
  dd bdi,
  dd.events {
    white-space: nowrap;
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

const fact = (label: string, value: unknown, big = false) => html`
  <dt>${label}</dt>
  <dd class=${big ? "events" : nothing}>${value}</dd>
`;

type Fact = [label: string, value: unknown, big?: boolean];

/** What is known of it; null where a function has no such thing, or where there is nothing to tell. */
function facts(one: FunctionHealth): Fact[] {
  const { events_in_per_second: comes, events_out_per_second: goes, waiting, oldest_ms, busy } = one;
  const told: Fact[] = [
    [t("health.card_in"), comes === null ? null : perSecond(comes), true],
    [t("health.card_out"), goes === null ? null : perSecond(goes), true],
    [t("health.calls"), one.kind === "http" ? perSecond(one.calls_per_second) : null],
    [t("health.failures"), one.failures_per_second > 0 ? perSecond(one.failures_per_second) : null],
    [
      t("health.card_waiting"),
      waiting === null ? null : pair(count(waiting), oldest_ms ? duration(oldest_ms) : ""),
    ],
    [t("health.card_parked"), one.parked ? count(one.parked) : null],
    [
      t("health.card_duration"),
      one.duration_ms_p50 === null
        ? null
        : pair(duration(one.duration_ms_p50), duration(one.duration_ms_p99)),
    ],
    [t("health.busy_share"), busy === null ? null : percent(busy)],
  ];
  return told.filter(([, value]) => value !== null);
}

/** Two values of one fact; a line may break between them, never inside. */
const pair = (one: string, other: string) => html`
  <bdi>${one}</bdi>${other ? html` · <bdi>${other}</bdi>` : nothing}
`;
