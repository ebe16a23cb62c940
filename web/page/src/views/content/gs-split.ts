import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { Dimension } from "../../api/types.ts";
import { setParameters } from "../../app/router.ts";
import { count, dayAndClock, error, percent, shortClock } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { dimensionName, valueName } from "../../i18n/values.ts";
import { bar, barStyles } from "../../parts/bar.ts";
import "../../parts/chart/gs-chart.ts";
import type { ChartMark, Span } from "../../parts/chart/gs-chart.ts";
import { swatch, swatchStyle } from "../../parts/chart/swatch.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-state.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { exportButton, table, tableStyles, type Column } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { gridOf, WHOLE } from "./curves.ts";
import "./gs-compare.ts";
import { History } from "./history.ts";
import { drawnValues, shareSeries, sharesIn, type ShownShare } from "./shares.ts";
import { compared, resolutionOf, SPLITS, STEPS, told, type View } from "./view.ts";

/**
 * The audience in parts: how many watch on which device, in which country …, over time, and how chosen ones compare.
 *
 * Windows of a minute at least: whoever reports every half a minute is in no window of five seconds for sure.
 */
@customElement("gs-split")
export class GsSplit extends GsElement {
  static override styles = [
    shared,
    barStyles,
    swatchStyle,
    tableStyles,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 12px;
      }
      .parts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
        align-items: start;
        gap: var(--gap);
      }
      .head {
        justify-content: space-between;
      }
      td .bar {
        min-width: 2.5rem;
      }
      .named {
        display: inline-flex;
        align-items: center;
        gap: 8px;
      }
      button.value {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        min-height: 28px;
        overflow-wrap: break-word;
        text-align: start;
      }
      button.value[aria-pressed="true"]::before {
        content: "✓" / "";
      }
      @media (max-width: 30rem) {
        th,
        td {
          padding-inline: 4px;
        }
      }
      gs-chart {
        --chart-height: 15rem;
      }
    `,
  ];

  @property({ attribute: false }) contentId = "";
  @property({ attribute: false }) subject = "";
  @property({ attribute: false }) view!: View;
  @property({ attribute: false }) span!: Span;
  @property({ type: Number }) now = 0;
  @property({ attribute: false }) marks: ChartMark[] = [];

  private readonly history = new History(this);

  private get resolution(): "1m" | "1h" {
    const resolution = resolutionOf(this.span);
    return resolution === "5s" ? "1m" : resolution;
  }

  protected override willUpdate(): void {
    const { contentId, span, now } = this;
    const { split } = this.view;
    if (!split) this.history.want(null);
    else
      this.history.want({
        contentId,
        resolution: this.resolution,
        by: split,
        shown: span,
        live: span,
        now,
      });
  }

  protected override render() {
    const { split } = this.view;
    return html`
      <section class="card" aria-labelledby="split">
        <h2 id="split">${t("content.split")}</h2>
        <div class="row" role="group" aria-labelledby="split">
          ${SPLITS.map(
            (one) =>
              html`<button
                type="button"
                aria-pressed=${one === split}
                @click=${() => {
                  this.splitBy(one);
                }}
              >
                ${dimensionName(one)}
              </button>`,
          )}
        </div>
        ${this.history.failed?.passing === false ? stateOf(this.history.failed) : nothing}
        ${split ? this.parts(split) : html`<p class="quiet">${t("content.split_text")}</p>`}
      </section>
    `;
  }

  private parts(by: Dimension) {
    const { compare } = this.view;
    const step = STEPS[this.resolution];
    const windows = this.history.windows(this.span);
    // the running window has not heard of everybody yet: it would always seem to fall
    const over = windows.filter(({ start }) => Date.parse(start) + step <= this.now);
    const heard = over.length > 0 ? over : windows;
    const grid = gridOf(heard, step, this.now);
    const drawn = drawnValues(heard, by, compare);
    const whole = heard.at(-1);
    const heading = t("content.split_over_time", { dimension: dimensionName(by) });
    return html`
      <div class="parts">
        ${this.shares(by, sharesIn(whole, by), drawn, whole?.start)}
        <gs-chart
          heading=${heading}
          definition="by: viewers"
          subject=${this.subject}
          filename=${`${this.subject} ${heading} ${told(this.span.from).slice(0, 16)}`}
          summary=${t("content.summary", {
            from: dayAndClock(this.span.from),
            to: dayAndClock(this.span.to),
            curves: drawn.map((value) => valueName(by, value)).join(", "),
          })}
          sync="content"
          .times=${grid.times}
          .series=${shareSeries(grid, by, drawn)}
          .marks=${this.marks}
          .steps=${WHOLE}
          .from=${this.span.from}
          .to=${this.span.to}
        ></gs-chart>
      </div>
      ${this.comparison(by)}
    `;
  }

  private shares(by: Dimension, shares: ShownShare[], drawn: string[], start: string | undefined) {
    const columns: Column<ShownShare>[] = [
      {
        label: dimensionName(by),
        shown: ({ value }) => this.valueButton(by, value, drawn),
        raw: ({ value }) => valueName(by, value),
      },
      {
        label: t("content.viewers"),
        definition: "by: viewers",
        number: true,
        shown: ({ viewers, viewers_error }) => html`${count(viewers)} <small>${error(viewers_error)}</small>`,
        raw: ({ viewers }) => viewers,
      },
      {
        label: t("chart.error_of", { name: t("content.viewers") }),
        raw: ({ viewers_error }) => viewers_error,
      },
      {
        label: t("content.share"),
        number: true,
        shown: ({ share }) => html`${percent(share)} ${bar(share)}`,
        raw: ({ share }) => share,
      },
    ];
    const at = start === undefined ? "" : shortClock(Date.parse(start));
    const name = t("content.shares", { dimension: dimensionName(by) });
    return html`
      <div>
        <div class="row head">
          <h3>${name} <span class="quiet number">${at}</span></h3>
          ${exportButton(`${this.subject} ${name}`, columns, shares, [[t("chart.content"), this.subject], [start ?? ""]])}
        </div>
        <p class="quiet">${t("content.compare_text")}</p>
        ${
          shares.length > 0
            ? table(name, columns, shares)
            : html`<p role="status">${t(this.history.loading ? "content.loading" : "content.no_shares")}</p>`
        }
      </div>
    `;
  }

  private valueButton(by: Dimension, value: string | null, drawn: string[]) {
    if (value === null) return html`<span class="quiet">${valueName(by, value)}</span>`;
    const index = drawn.indexOf(value);
    return html`
      <span class="named">
        <button
          type="button"
          class="value"
          aria-pressed=${this.view.compare.includes(value)}
          @click=${() => {
            this.choose(value);
          }}
        >
          <bdi>${valueName(by, value)}</bdi>
        </button>
        ${index < 0 ? nothing : swatch({}, index)}
      </span>
    `;
  }

  private comparison(by: Dimension) {
    const { compare } = this.view;
    if (compare.length === 0) return nothing;
    return html`
      <div class="row">
        <button type="button" @click=${this.compareNone}>${t("content.compare_none")}</button>
        ${compare.length === 1 ? html`<span class="quiet">${t("content.compare_more")}</span>` : nothing}
      </div>
      ${
        compare.length < 2
          ? nothing
          : html`<gs-compare
              .contentId=${this.contentId}
              .subject=${this.subject}
              .by=${by}
              .values=${compare}
              .span=${this.span}
            ></gs-compare>`
      }
    `;
  }

  private splitBy(by: Dimension): void {
    setParameters({ split: by === this.view.split ? null : by, compare: null });
  }

  private choose(value: string): void {
    const { compare } = this.view;
    const chosen = compare.includes(value) ? compare.filter((one) => one !== value) : [...compare, value];
    setParameters({ compare: compared(chosen) });
  }

  private compareNone(): void {
    setParameters({ compare: null });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-split": GsSplit;
  }
}
