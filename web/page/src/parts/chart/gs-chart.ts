import { html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { compact } from "../../i18n/format.ts";
import { GsElement } from "../element.ts";
import type { ChartMark, ChartSeries } from "./model.ts";

export type { ChartMark, ChartSeries, Span } from "./model.ts";

/**
 * Curves over time, with their legend, their values at a cursor that keys move too, the same as a table, and exports.
 *
 * Sends `rangechange` ({from, to}, ms) when one drags or zooms by keys: a host that shows that range itself calls
 * `preventDefault`, else the chart zooms by itself; `rangereset` when one goes back by Escape or a double click.
 */
@customElement("gs-chart")
export class GsChart extends GsElement {
  @property() heading = "";
  /** The key of its section in docs/metrics.md; "" where there is none. */
  @property() definition = "";
  /** When, in ms since the epoch, ascending. */
  @property({ attribute: false }) times: number[] = [];
  @property({ attribute: false }) series: ChartSeries[] = [];
  @property({ attribute: false }) marks: ChartMark[] = [];
  /** The stretch of time that is shown, ms. */
  @property({ type: Number }) from = 0;
  @property({ type: Number }) to = 0;
  @property() filename = "chart";
  /** What the chart is of: a content's title or id. It stands in exports. */
  @property() subject = "";
  @property({ type: Boolean }) stacked = false;
  /** One sentence for those who do not see the curves. */
  @property() summary = "";
  /** How numbers are written on the axis. */
  @property({ attribute: false }) axis: (value: number) => string = compact;
  /** Charts of the same name share their cursor. */
  @property() sync = "";

  protected override render() {
    return html`<figure aria-label=${this.heading}>${this.summary}</figure>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-chart": GsChart;
  }
}
