import { html, nothing, type PropertyValues } from "lit";
import { customElement, property, queryAll, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { LiveContent } from "../../api/types.ts";
import { contentAddress } from "../../app/router.ts";
import { change, compact, count, error, percent, relative } from "../../i18n/format.ts";
import { t, type MessageKey } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import "../../parts/gs-sparkline.ts";
import { glide, placesOf } from "./glide.ts";
import { liveListStyles } from "./live-list-styles.ts";
import { steady } from "./order.ts";
import { badges } from "./problem.ts";

/** A pointer that rests on the list for so long reads it no more. */
const RESTS_MS = 15_000;

const LEAST_MINUTES = 10;

const COLUMNS: { name: string; label: MessageKey; definition?: string }[] = [
  { name: "content", label: "overview.content", definition: "Overview/live" },
  { name: "trend", label: "overview.trend", definition: "Overview/sparkline" },
  { name: "viewers", label: "overview.viewers", definition: "Overview/concurrent" },
  { name: "change", label: "overview.change", definition: "Overview/change" },
  { name: "stalls", label: "overview.stalls", definition: "Overview/rebuffering_ratio" },
  { name: "problems", label: "overview.problems", definition: "Overview/problems" },
];

/**
 * Every live content, the most watched first: a table where there is room, cards where there is not.
 *
 * Its roles are written out, since a table that is laid out as a grid or as cards would lose them. Rows keep their
 * places while a pointer moves over them or one of them has the focus.
 */
@customElement("gs-live-list")
export class GsLiveList extends GsElement {
  static override styles = liveListStyles;

  @property({ attribute: false }) live: LiveContent[] = [];
  /** When the figures were made, ms since the epoch. */
  @property({ type: Number }) at = 0;

  @state() private ordered: LiveContent[] = [];
  @queryAll("tbody tr") private readonly rows!: NodeListOf<HTMLElement>;
  private pointedAt = 0;
  private focused = false;
  private places = new Map<string, number>();
  private shown = 0;

  private get held(): boolean {
    return this.focused || Date.now() - this.pointedAt < RESTS_MS;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("live")) return;
    this.places = placesOf(this.rows);
    this.shown = minutesShown(this.live);
    this.ordered = steady(
      this.ordered.map(({ content_id }) => content_id),
      this.live,
      this.held,
    );
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("live")) glide(this.rows, this.places);
  }

  protected override render() {
    return html`
      <table role="table" aria-label=${t("overview.live")}>
        <thead role="rowgroup">
          <tr role="row">
            ${COLUMNS.map(({ name, label, definition }) => this.header(name, t(label), definition))}
          </tr>
        </thead>
        <tbody
          role="rowgroup"
          @pointermove=${this.point}
          @pointerleave=${this.leave}
          @focusin=${this.focusIn}
          @focusout=${this.focusOut}
        >
          ${repeat(
            this.ordered,
            ({ content_id }) => content_id,
            (content) => this.row(content),
          )}
        </tbody>
      </table>
    `;
  }

  private header(name: string, label: string, definition?: string) {
    return html`
      <th role="columnheader" scope="col" class=${name}>
        <span>${label}</span>
        ${definition ? html`<gs-definition name=${definition} label=${label}></gs-definition>` : nothing}
      </th>
    `;
  }

  private row(content: LiveContent) {
    const { content_id, title, starts_at, concurrent, concurrent_error, rebuffering_ratio, problems } =
      content;
    return html`
      <tr role="row" data-key=${content_id}>
        <th role="rowheader" scope="row" class="content">
          <a href=${contentAddress(content_id)} dir="auto">${title ?? content_id}</a>
          <span class="about">
            ${starts_at === null ? nothing : html`<span>${this.began(starts_at)}</span>`}
            ${title === null ? nothing : html`<bdi>${content_id}</bdi>`}
          </span>
        </th>
        <td role="cell" class="trend">
          <gs-sparkline
            .values=${content.sparkline.concurrent.slice(-this.shown)}
            label=${trendOf(content)}
          ></gs-sparkline>
        </td>
        <td role="cell" class="viewers">
          <bdi class="figure">${count(concurrent)}</bdi>
          <bdi class="error">${error(concurrent_error)}</bdi>
        </td>
        <td role="cell" class="change">
          <span class="label" aria-hidden="true">${t("overview.change")}</span>
          <span>${arrowOf(content.change)} <bdi>${change(content.change)}</bdi></span>
        </td>
        <td role="cell" class="stalls">
          <span class="label" aria-hidden="true">${t("overview.stalls")}</span>
          <bdi>${percent(rebuffering_ratio)}</bdi>
        </td>
        <td role="cell" class="problems">
          ${problems.length > 0 ? badges(problems) : html`<span class="quiet">${t("overview.problems_none")}</span>`}
        </td>
      </tr>
    `;
  }

  private began(startsAt: string): string {
    return t("overview.began", { when: relative(Date.parse(startsAt), this.at) });
  }

  private point(): void {
    this.pointedAt = Date.now();
  }

  private leave(): void {
    this.pointedAt = 0;
  }

  private focusIn(): void {
    this.focused = true;
  }

  private focusOut(): void {
    this.focused = false;
  }
}

/** Which way it went, drawn; the number's sign says it too. */
function arrowOf(value: number | null) {
  if (!value) return nothing;
  return html`<span class=${value > 0 ? "up" : "down"} aria-hidden="true">${value > 0 ? "▲" : "▼"}</span>`;
}

/** How many minutes every row's curve tells, so that all share one axis: none before the first of all viewers came. */
function minutesShown(live: LiveContent[]): number {
  const known = live.map(({ sparkline: { concurrent } }) => {
    const first = concurrent.findIndex((value) => value !== null);
    return first < 0 ? 0 : concurrent.length - first;
  });
  return Math.max(LEAST_MINUTES, ...known);
}

function trendOf({ sparkline }: LiveContent): string {
  const known = sparkline.concurrent.filter((value) => value !== null);
  if (known.length === 0) return t("overview.trend_none");
  return t("overview.trend_text", {
    first: compact(known[0]),
    last: compact(known.at(-1)),
    most: compact(Math.max(...known)),
  });
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-live-list": GsLiveList;
  }
}
