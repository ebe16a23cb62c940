import { css, html, svg, type TemplateResult } from "lit";

import type { Completeness } from "../../api/types.ts";
import { count, percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/gs-definition.ts";
import { exportButton, table, type Column } from "../../parts/table.ts";
import { accounts, unaccounted, type Account } from "./accounts.ts";
import { reasonName } from "./words.ts";

export const completenessStyles = css`
  .sum {
    display: block;
    width: 100%;
    height: 28px;
    border: 1px solid var(--control-line);
    border-radius: 6px;
  }
  .sum:dir(rtl) {
    transform: scaleX(-1);
  }
  .swatch {
    display: inline-block;
    width: 18px;
    height: 14px;
    margin-inline-end: 6px;
    border: 1px solid var(--control-line);
    vertical-align: -2px;
  }
  .fill-counted {
    fill: var(--good);
  }
`;

/** What became of every event that was received, and whether that adds up. */
export function completeness(told: Completeness): TemplateResult {
  const all = accounts(told);
  const columns = columnsOf(told.received);
  const name = t("health.completeness");
  return html`
    <div class="head">
      <h2>${name} <gs-definition name="Completeness" label=${name}></gs-definition></h2>
      ${exportButton(name, columns, all, [[t("health.received"), told.received]])}
    </div>
    <p>
      ${t("health.received")}
      <gs-definition name="received" label=${t("health.received")}></gs-definition>
      <strong class="number">${count(told.received)}</strong>
    </p>
    ${drawn(all, told.received)} ${verdict(unaccounted(told))} ${table(name, columns, all)}
    <p>
      ${t("health.dead_letters_waiting", { count: told.dead_letters })}
      <gs-definition name="dead_letters" label=${t("health.dead_letters")}></gs-definition>
    </p>
  `;
}

const columnsOf = (received: number): Column<Account>[] => [
  { label: t("health.class"), shown: named, raw: label },
  {
    label: t("health.events"),
    definition: "Completeness",
    number: true,
    shown: ({ events }) => count(events),
    raw: ({ events }) => events,
  },
  {
    label: t("health.share"),
    definition: "received",
    number: true,
    shown: ({ events }) => percent(received > 0 ? events / received : null),
  },
];

const named = (account: Account): TemplateResult => html`
  <svg class="swatch" viewBox="0 0 18 14" aria-hidden="true">${rectangle(account, 0, 18, 14)}</svg>
  <bdi>${label(account)}</bdi>
  <gs-definition name=${account.name} label=${t(`health.class_${account.name}`)}></gs-definition>
`;

const label = ({ name, reason }: Account): string =>
  reason === null
    ? t(`health.class_${name}`)
    : t("health.class_rejected_because", { reason: reasonName(reason) });

function verdict(missing: number): TemplateResult {
  if (missing === 0)
    return html`<p class="good"><span aria-hidden="true">✓</span> ${t("health.adds_up")}</p>`;
  return html`<p class="bad">
    <span aria-hidden="true">✕</span> ${t("health.adds_not_up", { count: Math.abs(missing) })}
  </p>`;
}

/** The classes as parts of one bar; each has a pattern of its own, the table's swatches are its legend. */
function drawn(all: Account[], received: number): TemplateResult {
  const total = Math.max(
    1,
    received,
    all.reduce((sum, { events }) => sum + events, 0),
  );
  let at = 0;
  return html`
    <svg class="sum" viewBox="0 0 1000 28" preserveAspectRatio="none" aria-hidden="true">
      ${PATTERNS}
      ${all.map((account) => {
        const width = (account.events / total) * 1_000;
        at += width;
        return rectangle(account, at - width, width, 28);
      })}
    </svg>
  `;
}

const rectangle = ({ name }: Account, x: number, width: number, height: number) => svg`
  <rect class="fill-${name}" x=${x} width=${width} height=${height} fill="url(#pattern-${name})"></rect>
`;

const PATTERNS = svg`
  <defs>
    <pattern id="pattern-duplicate" width="8" height="8" patternUnits="userSpaceOnUse">
      <path d="M0 8 8 0M-2 2 2-2M6 10 10 6" stroke="var(--series-1)" stroke-width="3"></path>
    </pattern>
    <pattern id="pattern-late" width="6" height="6" patternUnits="userSpaceOnUse">
      <circle cx="3" cy="3" r="2" fill="var(--warn)"></circle>
    </pattern>
    <pattern id="pattern-rejected" width="8" height="8" patternUnits="userSpaceOnUse">
      <path d="M0 0 8 8M8 0 0 8" stroke="var(--bad)" stroke-width="2.5"></path>
    </pattern>
    <pattern id="pattern-sampled_out" width="6" height="6" patternUnits="userSpaceOnUse">
      <path d="M0 1.5H6" stroke="var(--series-4)" stroke-width="3"></path>
    </pattern>
  </defs>
`;
