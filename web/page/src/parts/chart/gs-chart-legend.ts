import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { t } from "../../i18n/locale.ts";
import { shared } from "../../styles/shared.ts";
import { GsElement } from "../element.ts";
import { firstFrom, nearest, type ChartModel, type ChartSeries } from "./model.ts";
import { swatch, swatchStyle } from "./swatch.ts";
import { timeIn, withError } from "./told.ts";

/** The curves' names and strokes, with their values at the cursor, or the newest ones. */
@customElement("gs-chart-legend")
export class GsChartLegend extends GsElement {
  static override styles = [
    shared,
    swatchStyle,
    css`
      :host {
        display: block;
        min-height: 1.75rem;
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 20px;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      li.time {
        min-width: 8ch;
        color: var(--quiet);
      }
      strong {
        font-weight: 650;
      }
    `,
  ];

  @property({ attribute: false }) model: ChartModel | null = null;
  /** Where the cursor is, ms; null where nobody points. */
  @property({ attribute: false }) cursor: number | null = null;

  protected override render() {
    if (!this.model) return html``;
    const { times, series } = this.model;
    const at = this.cursor === null ? newest(this.model) : nearest(times, this.cursor);
    return html`
      <ul>
        <li class="time">${at === null ? t("chart.no_values") : timeIn(this.model, times[at] ?? 0)}</li>
        ${series.map((one, index) => this.entry(one, index, at))}
        ${series.some(banded) ? html`<li class="quiet">${t("chart.band")}</li>` : nothing}
      </ul>
    `;
  }

  private entry(series: ChartSeries, index: number, at: number | null) {
    const value = at === null ? null : (series.values[at] ?? null);
    const error = at === null ? null : (series.error?.[at] ?? null);
    return html`
      <li>
        ${swatch(series, index)}
        <bdi>${series.label}</bdi> <strong>${withError(series, value, error)}</strong>
      </li>
    `;
  }
}

const banded = ({ error, style }: ChartSeries): boolean =>
  style !== "bars" && (error?.some((one) => one !== null && one > 0) ?? false);

/** The newest time that is shown and of which anything is known. */
function newest({ times, series, from, to }: ChartModel): number | null {
  const first = firstFrom(times, from);
  for (let at = firstFrom(times, to) - 1; at >= first; at--)
    if (series.some(({ values }) => values[at] != null)) return at;
  return null;
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-chart-legend": GsChartLegend;
  }
}
