import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";

import { contentPath } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import type { Dimension, Segment, Segments } from "../../api/types.ts";
import { bitrate, clock, count, decimal, duration, percent, signedPercent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { valueName } from "../../i18n/values.ts";
import type { Span } from "../../parts/chart/gs-chart.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-state.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { exportButton, table, tableStyles, type Column } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { difference, MEASURES, type Measure } from "./differences.ts";
import { told } from "./view.ts";

const EVERY_MS = 30_000;

const FORMATS: Record<Measure["name"], (value: number | null) => string> = {
  viewers: count,
  engagement: percent,
  watched: duration,
  rebuffering: percent,
  startup: duration,
  bitrate,
  errors: (value) => decimal(value === null ? null : value * 100),
};

/** How chosen segments of the audience fare beside each other, from the history; each against the first. */
@customElement("gs-compare")
export class GsCompare extends GsElement {
  static override styles = [
    shared,
    tableStyles,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .scrolling thead th {
        white-space: normal;
      }
      .head {
        justify-content: space-between;
      }
      small {
        display: block;
        color: var(--quiet);
        white-space: nowrap;
      }
      small.worse {
        color: var(--bad);
      }
      small.better {
        color: var(--good);
      }
    `,
  ];

  @property({ attribute: false }) contentId = "";
  @property({ attribute: false }) subject = "";
  @property({ attribute: false }) by: Dimension = "device_type";
  @property({ attribute: false }) values: string[] = [];
  @property({ attribute: false }) span!: Span;

  private readonly segments = new Poll<Segments>(this, EVERY_MS);
  /** The last answer: it stays while that about the next minute is on its way. */
  private last: Segments | null = null;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("by")) this.last = null;
    this.last = this.segments.answer ?? this.last;
    // whole minutes: the address stays the same for as long, and the answer of another page will do
    const query = new URLSearchParams({
      by: this.by,
      from: told(Math.floor(this.span.from / 60_000) * 60_000),
      to: told(Math.ceil(this.span.to / 60_000) * 60_000),
    });
    this.segments.ask(contentPath(this.contentId, `/segments?${query.toString()}`));
  }

  protected override render() {
    const { failed } = this.segments;
    const answer = this.last;
    if (!answer) return failed ? stateOf(failed) : html`<p role="status">${t("content.loading")}</p>`;
    const found = this.values.map((value) => answer.segments.find((segment) => segment.value === value));
    const rows = found.filter((segment) => segment !== undefined);
    const few = this.values.filter((_, at) => !found[at]);
    const [base] = rows;
    const name = t("content.compare");
    const columns = [this.valueColumn(), ...MEASURES.map((measure) => column(measure, base))];
    return html`
      <div class="row head">
        <h3>${name}</h3>
        ${exportButton(`${this.subject} ${name}`, columns, rows, [
          [t("chart.content"), this.subject],
          [t("chart.from"), answer.from],
          [t("chart.to"), answer.to],
        ])}
      </div>
      <p class="quiet">
        ${
          answer.as_of === null
            ? t("content.from_history_none")
            : t("content.from_history", { time: clock(Date.parse(answer.as_of)) })
        }
        ${base ? t("content.compared_with", { value: valueName(this.by, base.value) }) : nothing}
      </p>
      ${rows.length > 0 ? table(name, columns, rows) : nothing}
      ${
        few.length === 0
          ? nothing
          : html`<p class="quiet">
              ${t("content.too_few", { values: few.map((value) => valueName(this.by, value)).join(", ") })}
            </p>`
      }
    `;
  }

  private valueColumn(): Column<Segment> {
    return {
      label: t("content.segment"),
      shown: ({ value }) => html`<bdi>${valueName(this.by, value)}</bdi>`,
      raw: ({ value }) => valueName(this.by, value),
    };
  }
}

const column = (measure: Measure, base: Segment | undefined): Column<Segment> => ({
  label: t(`content.measure_${measure.name}`),
  definition: measure.definition,
  number: true,
  shown: (segment) =>
    html`${FORMATS[measure.name](measure.value(segment))} ${beside(measure, segment, base)}`,
  raw: measure.value,
});

/** "+20% · worse": a sign and a word, never colour alone. */
function beside(measure: Measure, segment: Segment, base: Segment | undefined) {
  if (!base || segment === base) return nothing;
  const found = difference(measure, segment, base);
  if (!found) return nothing;
  const { relative, verdict } = found;
  const word = t(`content.verdict_${verdict}`);
  const shown = relative === null || relative === 0 ? word : `${signedPercent(relative)} · ${word}`;
  return html`<small class=${verdict}>${shown}</small>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-compare": GsCompare;
  }
}
