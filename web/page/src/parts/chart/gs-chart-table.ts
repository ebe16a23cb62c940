import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { duration } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { shared } from "../../styles/shared.ts";
import { GsElement } from "../element.ts";
import { nameOf } from "./marks.ts";
import type { ChartModel } from "./model.ts";
import { tableOf, type Row } from "./table.ts";
import { timeIn, withError } from "./told.ts";

const QUIET_MS = 30_000;

/** What a chart shows as a table, newest first. It says what is new to screen readers, at most every thirty seconds. */
@customElement("gs-chart-table")
export class GsChartTable extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      .scroll {
        position: relative;
        max-height: 22rem;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: 8px;
      }
      thead th {
        position: sticky;
        inset-block-start: 0;
        background: var(--raised);
      }
      caption {
        padding: 8px;
        color: var(--quiet);
        text-align: start;
      }
      th[scope="row"] {
        font-weight: 400;
        white-space: nowrap;
      }
    `,
  ];

  @property() heading = "";
  @property({ attribute: false }) model: ChartModel | null = null;

  @state() private announcement = "";
  private announcedAt = 0;

  protected override willUpdate(changed: PropertyValues<this>): void {
    const [newest] = this.model ? tableOf(this.model).rows : [];
    if (!changed.has("model") || !newest || Date.now() - this.announcedAt < QUIET_MS) return;
    // the first one would be read over the table that was just opened
    if (this.announcedAt > 0) this.announcement = this.told(newest);
    this.announcedAt = Date.now();
  }

  protected override render() {
    if (!this.model) return nothing;
    const { series, marks } = this.model;
    const { step, rows } = tableOf(this.model);
    return html`
      <div
        class="scroll"
        tabindex="0"
        role="region"
        aria-label=${t("chart.table_of", { heading: this.heading })}
      >
        <table>
          <caption>
            ${t("chart.table_rows", { step: duration(step) })}
          </caption>
          <thead>
            <tr>
              <th scope="col">${t("chart.time")}</th>
              ${series.map(({ label }) => html`<th scope="col" class="number"><bdi>${label}</bdi></th>`)}
              ${marks.length > 0 ? html`<th scope="col">${t("chart.marks")}</th>` : nothing}
            </tr>
          </thead>
          <tbody>
            ${repeat(
              rows,
              ({ at }) => at,
              (row) => this.row(row),
            )}
          </tbody>
        </table>
      </div>
      <p class="visually-hidden" role="status">${this.announcement}</p>
    `;
  }

  private row(row: Row) {
    return html`
      <tr>
        <th scope="row">${this.time(row.at)}</th>
        ${this.model?.series.map(
          (one, index) =>
            html`<td class="number">
              ${withError(one, row.values[index] ?? null, row.errors[index] ?? null)}
            </td>`,
        )}
        ${
          this.model?.marks.length
            ? html`<td>${row.marks.map((mark) => html`<bdi>${nameOf(mark)}</bdi> `)}</td>`
            : nothing
        }
      </tr>
    `;
  }

  private time(at: number): string {
    return timeIn(this.model ?? { from: 0, to: 0 }, at);
  }

  private told(row: Row): string {
    const values = this.model?.series.map(
      (one, index) => `${one.label} ${withError(one, row.values[index] ?? null, row.errors[index] ?? null)}`,
    );
    return `${this.heading}, ${this.time(row.at)}: ${(values ?? []).join(", ")}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-chart-table": GsChartTable;
  }
}
