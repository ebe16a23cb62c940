import { css, html, nothing, unsafeCSS, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import uplotStyle from "uplot/dist/uPlot.min.css?inline";

import { chartCsv } from "../../export/chart-csv.ts";
import { chartPng } from "../../export/chart-png.ts";
import { download, fileName } from "../../export/download.ts";
import { compact } from "../../i18n/format.ts";
import { direction, locale, t } from "../../i18n/locale.ts";
import { shared } from "../../styles/shared.ts";
import { GsElement } from "../element.ts";
import "../gs-definition.ts";
import "./gs-chart-legend.ts";
import "./gs-chart-table.ts";
import { deedOf } from "./keys.ts";
import { nearest, type ChartMark, type ChartModel, type ChartSeries, type Span } from "./model.ts";
import { palette } from "./palette.ts";
import { Plot, shapeOf } from "./plot.ts";
import { chartStyle } from "./style.ts";
import { timeIn, withError } from "./told.ts";

export type { ChartMark, ChartSeries, Span } from "./model.ts";

/**
 * Curves over time, with their legend, their values at a cursor that keys move too, the same as a table, and exports.
 *
 * Sends `rangechange` ({from, to}, ms) when one drags or zooms by keys: a host that shows that range itself calls
 * `preventDefault`, else the chart zooms by itself; `rangereset` when one goes back by Escape or a double click;
 * `cursormove` (ms, or null) when one points somewhere else.
 */
@customElement("gs-chart")
export class GsChart extends GsElement {
  static override styles = [
    shared,
    css`
      ${unsafeCSS(uplotStyle)}
    `,
    chartStyle,
  ];

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
  /** How far apart the axis' numbers may be: so that counts are whole, and times round. */
  @property({ attribute: false }) steps: readonly number[] | null = null;
  /** For what differs by orders of magnitude, as latencies do. */
  @property({ type: Boolean }) logarithmic = false;
  /** Charts of the same name share their cursor. */
  @property() sync = "";

  @state() private zoom: Span | null = null;
  @state() private cursor: number | null = null;
  @state() private tabled = false;
  @query(".canvas") private readonly canvas!: HTMLDivElement;

  private plot: Plot | null = null;
  private shape = "";
  /** Where keys put the cursor: it stays at that time while the curves move on. */
  private pinned: number | null = null;
  private readonly resized = new ResizeObserver(() => {
    this.fit();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("themechange", this.paint);
    if (this.hasUpdated) this.resized.observe(this.canvas);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("themechange", this.paint);
    this.resized.disconnect();
    this.release();
  }

  protected override firstUpdated(): void {
    this.resized.observe(this.canvas);
  }

  protected override updated(changed: PropertyValues): void {
    const drawn = ["times", "series", "marks", "from", "to", "stacked", "axis", "zoom"];
    if (this.shape !== shapeOf(this.model(), direction() === "rtl", locale())) this.draw();
    else if (drawn.some((name) => changed.has(name))) this.show();
  }

  protected override render() {
    const model = this.model();
    return html`
      <figure aria-labelledby="heading" aria-describedby="summary">
        <div class="head">
          <h3 id="heading">${this.heading}</h3>
          ${
            this.definition
              ? html`<gs-definition name=${this.definition} label=${this.heading}></gs-definition>`
              : nothing
          }
          ${this.actions()}
        </div>
        <p id="summary" class="visually-hidden">${this.summary}</p>
        <div
          class="plot"
          tabindex="0"
          role="slider"
          dir="ltr"
          aria-label=${t("chart.cursor_of", { heading: this.heading })}
          aria-describedby="keys"
          aria-valuemin=${model.from}
          aria-valuemax=${model.to}
          aria-valuenow=${this.cursor ?? model.to}
          aria-valuetext=${this.valuesAtCursor(model)}
          @keydown=${this.pressed}
          @blur=${this.left}
        >
          <div class="canvas" aria-hidden="true"></div>
          <p id="keys" class="keys" dir=${direction()}>${t("chart.keys")}</p>
        </div>
        <gs-chart-legend .model=${model} .cursor=${this.cursor}></gs-chart-legend>
        ${
          this.tabled
            ? html`<gs-chart-table heading=${this.heading} .model=${model}></gs-chart-table>`
            : nothing
        }
      </figure>
    `;
  }

  private actions() {
    const { heading } = this;
    return html`
      <div class="actions">
        <button
          type="button"
          aria-label=${t("chart.as_table_of", { heading })}
          aria-pressed=${this.tabled}
          @click=${this.toggleTable}
        >
          ${t("chart.as_table")}
        </button>
        <button type="button" aria-label=${t("chart.csv_of", { heading })} @click=${this.saveCsv}>CSV</button>
        <button type="button" aria-label=${t("chart.png_of", { heading })} @click=${this.savePng}>PNG</button>
      </div>
    `;
  }

  private model(): ChartModel {
    const { times, series, marks, stacked, axis, steps, logarithmic } = this;
    return {
      times,
      series,
      marks,
      stacked,
      axis,
      steps,
      logarithmic,
      ...(this.zoom ?? { from: this.from, to: this.to }),
    };
  }

  private valuesAtCursor({ times, series, from, to }: ChartModel): string {
    const at = this.cursor === null ? null : nearest(times, this.cursor);
    if (at === null) return t("chart.no_cursor");
    const values = series.map(
      (one) => `${one.label} ${withError(one, one.values[at] ?? null, one.error?.[at] ?? null)}`,
    );
    return `${timeIn({ from, to }, times[at] ?? 0)}: ${values.join(", ")}`;
  }

  private fit(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth === 0) return;
    if (this.plot) this.plot.resize(clientWidth, clientHeight);
    else this.draw();
  }

  /** Make the plot: when the chart is first laid out, and when other curves are to be drawn. */
  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0) return;
    const model = this.model();
    const mirrored = direction() === "rtl";
    this.release();
    this.shape = shapeOf(model, mirrored, locale());
    this.plot = new Plot(
      this.canvas,
      model,
      palette(),
      { width, height, mirrored, sync: this.sync },
      {
        cursor: this.pointed,
        dragged: this.choose,
        reset: this.reset,
      },
    );
  }

  private show(): void {
    this.plot?.show(this.model());
    if (this.pinned !== null) this.plot?.point(this.pinned);
  }

  private release(): void {
    this.plot?.destroy();
    this.plot = null;
    this.shape = "";
  }

  private readonly paint = (): void => {
    this.plot?.paint(palette());
  };

  private readonly pointed = (at: number | null): void => {
    if (at === this.cursor) return;
    this.cursor = at;
    this.dispatchEvent(new CustomEvent<number | null>("cursormove", { detail: at }));
  };

  private readonly choose = (span: Span): void => {
    const wanted = new CustomEvent<Span>("rangechange", { detail: span, cancelable: true });
    if (this.dispatchEvent(wanted)) this.zoom = span;
  };

  private readonly reset = (): void => {
    this.zoom = null;
    this.pin(null);
    this.dispatchEvent(new CustomEvent("rangereset"));
  };

  private pressed(event: KeyboardEvent): void {
    const deed = deedOf(event, this.model(), this.cursor);
    if (!deed) return;
    event.preventDefault();
    if ("move" in deed) this.pin(deed.move);
    else if ("zoom" in deed) this.choose(deed.zoom);
    else this.reset();
  }

  private pin(at: number | null): void {
    this.pinned = at;
    this.pointed(at);
    this.plot?.point(at);
  }

  private left(): void {
    this.pin(null);
  }

  private toggleTable(): void {
    this.tabled = !this.tabled;
  }

  private saveCsv(): void {
    download(fileName([this.filename], "csv"), "text/csv;charset=utf-8", chartCsv(this, this.model()));
  }

  private async savePng(): Promise<void> {
    const picture = await chartPng(this, this.model(), palette());
    download(fileName([this.filename], "png"), picture.type, picture);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-chart": GsChart;
  }
}
