import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { contentPath } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import type { AudienceWindow, Mark, Marks, Now, Resolution } from "../../api/types.ts";
import { setParameters } from "../../app/router.ts";
import { setTitle } from "../../app/title.ts";
import { dayAndClock } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/chart/gs-chart.ts";
import type { ChartMark, Span } from "../../parts/chart/gs-chart.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-figure.ts";
import "../../parts/gs-state.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { shared } from "../../styles/shared.ts";
import { CURVES, gridOf, seriesOf, type Curve, type Grid } from "./curves.ts";
import { Facts, type Phase } from "./facts.ts";
import "./gs-also-watched.ts";
import "./gs-content-tools.ts";
import "./gs-marks.ts";
import "./gs-split.ts";
import { minuteFigures, viewersFigure } from "./figures.ts";
import { header, upcoming } from "./header.ts";
import { History } from "./history.ts";
import { contentStyle } from "./style.ts";
import { resolutionOf, spanOf, STEPS, told, viewOf, type View } from "./view.ts";

const NOW_MS = 1_000;
const MARKS_MS = 5_000;
const MINUTE_MS = 60_000;
const LEAST_MS = 3 * MINUTE_MS;
/** So short a stretch holds too few minutes to make a curve of. */
const SHORT_MS = 10 * MINUTE_MS;
/** A minute is read when its last reports are in; each tab a little later than the next. */
const SETTLED_MS = 5_000 + Math.random() * 5_000;

/** One content: its audience now and over time, its segments, its marked moments. */
@customElement("gs-content")
export class GsContent extends GsElement {
  static override styles = [shared, contentStyle];

  @property({ attribute: false }) contentId = "";
  @property({ attribute: false }) parameters = new URLSearchParams();

  /** Where one points in a chart, or pointed last, ms. */
  @state() private cursor: number | null = null;
  @state() private pointing = false;

  private readonly history = new History(this);
  private readonly minutes = new History(this);
  private readonly facts = new Facts(this);
  private readonly marks = new Poll<Marks>(this, MARKS_MS);
  private readonly now = new Poll<Now>(this, NOW_MS, (now) => {
    this.history.take(now);
    this.openedAt ??= Date.parse(now.as_of);
  });

  /** When the first figures came, ms: for whom the history is closed, curves begin there. */
  private openedAt: number | null = null;
  private view: View = viewOf(new URLSearchParams());
  private span: Span = { from: 0, to: 0 };
  private resolution: Resolution = "5s";

  /** The time now by the suite's clock, at its last answer: a device's own clock may be off. */
  private get time(): number {
    return this.now.answer ? Date.parse(this.now.answer.as_of) : Date.now();
  }

  private get phase(): Phase {
    return this.facts.phase(this.now.answer, this.time);
  }

  protected override willUpdate(): void {
    this.facts.about(this.contentId);
    this.now.ask(contentPath(this.contentId, "/audience/now"));
    this.marks.ask(contentPath(this.contentId, "/marks"));
    this.view = viewOf(this.parameters);
    if (this.now.answer || this.now.failed) this.look();
    setTitle(this.facts.title ?? this.contentId);
  }

  /** Work out what is shown, and ask for it. */
  private look(): void {
    const { time, phase, facts, view } = this;
    if ((phase === "quiet" && this.now.answer) || (view.range === "start" && facts.start === null))
      void facts.lookBack(time);
    const times = { now: time, start: facts.start, end: phase === "ended" ? facts.end : null };
    const step = STEPS[resolutionOf(spanOf(view, times))];
    // the picture moves on by whole windows, not by every answer
    const calm = { ...times, now: Math.ceil(time / step) * step };
    const asked = spanOf(view, calm);
    if (this.history.closed && this.openedAt !== null && !view.chosen)
      asked.from = Math.max(asked.from, Math.min(this.openedAt, asked.to - MINUTE_MS));
    const resolution = resolutionOf(asked);
    const live = spanOf({ ...view, paused: null }, calm);
    const { contentId } = this;
    this.history.want({ contentId, resolution, by: null, shown: asked, live, now: time });
    this.resolution = resolution;
    this.span = view.chosen || this.history.loading ? asked : begun(asked, this.history.windows(asked)[0]);
    const { from, to } = this.lastMinute();
    const shown = { from: this.byMinutes ? this.span.from : from - MINUTE_MS, to };
    this.minutes.want({ contentId, resolution: "1m", by: null, shown, live: shown, now: time });
  }

  /** Whether all but the audience is drawn by minutes, which say more than five seconds do (docs/metrics.md). */
  private get byMinutes(): boolean {
    return this.resolution === "5s" && this.span.to - this.span.from > SHORT_MS;
  }

  /** The last whole minute of what is shown. */
  private lastMinute(): Span {
    const until = Math.min(this.span.to, (this.view.paused ?? this.time) - SETTLED_MS);
    const to = Math.floor(until / MINUTE_MS) * MINUTE_MS;
    return { from: to - MINUTE_MS, to };
  }

  protected override render() {
    const missing = this.now.failed?.trouble === "missing" && !this.now.answer;
    if (!this.now.answer && !this.now.failed) return html`${this.header()}<gs-state></gs-state>`;
    if (missing && this.phase === "upcoming") return html`${this.header()}${upcoming(this.facts.start)}`;
    if (missing)
      return html`${this.header()}<gs-state
          .state=${this.facts.known ? "nothing-yet" : "no-such-content"}
        ></gs-state>`;
    if (!this.now.answer && this.now.failed) return html`${this.header()}${stateOf(this.now.failed)}`;
    return html`
      ${this.header()} ${this.phase === "upcoming" ? upcoming(this.facts.start) : nothing} ${this.figures()}
      <gs-content-tools
        .view=${this.view}
        .span=${this.span}
        .now=${this.time}
        ?moving=${this.phase !== "ended"}
      ></gs-content-tools>
      <div class="body">
        <div class="main">
          ${this.charts()}
          <gs-split
            .contentId=${this.contentId}
            .subject=${this.subject}
            .view=${this.view}
            .span=${this.span}
            .now=${this.time}
            .marks=${this.chartMarks()}
            @rangechange=${this.choose}
            @rangereset=${this.back}
          ></gs-split>
        </div>
        <aside aria-label=${t("content.beside")}>
          <gs-marks
            .contentId=${this.contentId}
            .marks=${this.marks.answer?.marks ?? []}
            .cursor=${this.cursor}
            ?pointing=${this.pointing}
            .now=${this.time}
            @markschange=${this.readMarks}
          ></gs-marks>
          <gs-also-watched .contentId=${this.contentId}></gs-also-watched>
        </aside>
      </div>
    `;
  }

  private get subject(): string {
    const { title } = this.facts;
    return title === null ? this.contentId : `${title} (${this.contentId})`;
  }

  private header() {
    const known = this.now.answer !== null || this.facts.start !== null;
    const { title } = this.facts;
    return header(this.contentId, title, known ? this.phase : null, this.now.answer);
  }

  private figures() {
    const standing = this.view.chosen !== null || this.view.paused !== null;
    const moment = standing ? "then" : this.phase === "ended" ? "peak" : "now";
    return html`
      <section class="figures card" aria-label=${t("content.figures")}>
        ${viewersFigure(moment, this.history.windows(this.span), this.now.answer, this.span.to)}
        ${this.minutes.closed ? nothing : this.minuteFigures()}
      </section>
    `;
  }

  private minuteFigures() {
    const { from, to } = this.lastMinute();
    const [minute] = this.minutes.windows({ from, to });
    const [before] = this.minutes.windows({ from: from - MINUTE_MS, to: from });
    return minuteFigures({ from, to }, minute, before);
  }

  private charts() {
    const { failed, loading, closed } = this.history;
    const step = STEPS[this.resolution];
    const fine = { grid: gridOf(this.history.windows(this.span), step, this.time), step };
    const minutes = this.byMinutes ? this.minutes.windows(this.span) : [];
    const coarse =
      closed || !this.byMinutes ? fine : { grid: gridOf(minutes, MINUTE_MS, this.time), step: MINUTE_MS };
    return html`
      <section class="charts" aria-labelledby="over-time" aria-busy=${loading}>
        <div class="row head">
          <h2 id="over-time">${t("content.over_time")}</h2>
          <span class="quiet" role="status">${loading ? t("content.loading") : ""}</span>
        </div>
        ${
          closed
            ? html`<p class="note">
                ${t("content.no_history")} <a href="#/sign-in">${t("shell.sign_in")}</a>
              </p>`
            : nothing
        }
        ${failed && !failed.passing && !closed ? stateOf(failed) : nothing}
        ${CURVES.map((curve, index) => this.chart(curve, index === 0 ? fine : coarse))}
      </section>
    `;
  }

  private chart(curve: Curve, { grid, step }: { grid: Grid; step: number }) {
    const heading = t(`content.chart_${curve.name}`);
    const series = seriesOf(curve, grid, step, this.time);
    return html`
      <gs-chart
        class="card ${curve.name}"
        heading=${heading}
        definition=${curve.definition}
        subject=${this.subject}
        filename=${`${this.facts.title ?? this.contentId} ${heading} ${told(this.span.from).slice(0, 16)}`}
        summary=${t("content.summary", {
          from: dayAndClock(this.span.from),
          to: dayAndClock(this.span.to),
          curves: series.map(({ label }) => label).join(", "),
        })}
        sync="content"
        .times=${grid.times}
        .series=${series}
        .marks=${this.chartMarks()}
        .from=${this.span.from}
        .to=${this.span.to}
        .axis=${curve.axis}
        .steps=${curve.steps ?? null}
        @rangechange=${this.choose}
        @rangereset=${this.back}
        @cursormove=${this.point}
      ></gs-chart>
    `;
  }

  private chartMarks(): ChartMark[] {
    const inside = ({ at }: ChartMark): boolean => this.span.from <= at && at < this.span.to;
    return (this.marks.answer?.marks ?? []).map(chartMark).filter(inside);
  }

  private readonly choose = (event: CustomEvent<Span>): void => {
    event.preventDefault();
    setParameters({ from: told(event.detail.from), to: told(event.detail.to), paused: null });
  };

  private readonly back = (): void => {
    if (this.view.chosen) setParameters({ from: null, to: null });
  };

  private readonly point = (event: CustomEvent<number | null>): void => {
    this.pointing = event.detail !== null;
    // leaving a chart for the form that marks the moment does not take the moment away
    if (event.detail !== null) this.cursor = Math.round(event.detail);
  };

  private readonly readMarks = (): void => {
    this.marks.again();
  };
}

/** A range from where there is anything of it: nobody looks at an empty hour before the first viewer came. */
function begun({ from, to }: Span, first: AudienceWindow | undefined): Span {
  return { from: first ? Math.max(from, Math.min(Date.parse(first.start), to - LEAST_MS)) : from, to };
}

const chartMark = ({ at, kind, label }: Mark): ChartMark => ({ at: Date.parse(at), kind, label });

declare global {
  interface HTMLElementTagNameMap {
    "gs-content": GsContent;
  }
}
