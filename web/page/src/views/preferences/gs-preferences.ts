import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { AlsoWatched, Overview, Top, TopBySegment } from "../../api/types.ts";
import { contentPath } from "../../api/client.ts";
import { Poll } from "../../api/poll.ts";
import { setParameters } from "../../app/router.ts";
import type { Cell } from "../../export/csv.ts";
import { dayAndClock } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { dimensionName } from "../../i18n/values.ts";
import { barStyles } from "../../parts/bar.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { exportButton, table, tableStyles, type Column } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import type { Titled } from "./choice.ts";
import { alsoColumns, ranked, segmentColumns, segmentRows, topColumns } from "./columns.ts";
import "./gs-content-choice.ts";
import { segmentCards } from "./segments.ts";
import { preferencesStyles } from "./styles.ts";

const WINDOWS = ["24h", "7d", "30d"] as const;
const SEGMENTS = ["country", "device_type", "tier", "age_group", "network_quality"] as const;
const EVERY_MS = 60_000;
/** How many contents can be chosen without knowing their id. */
const LISTED = 100;
const SHOWN = 10;

/** What a content's audience also watches, and what is watched most, by everyone and by segment. */
@customElement("gs-preferences")
export class GsPreferences extends GsElement {
  static override styles = [shared, tableStyles, barStyles, preferencesStyles];

  @property({ attribute: false }) parameters = new URLSearchParams();

  private readonly live = new Poll<Overview>(this, EVERY_MS);
  private readonly top = new Poll<Top>(this, EVERY_MS);
  private readonly also = new Poll<AlsoWatched>(this, EVERY_MS);
  private readonly segments = new Poll<TopBySegment>(this, EVERY_MS);
  /** The most watched content when the view was opened: it does not change under people's eyes. */
  private usual: string | null = null;

  private get window(): string {
    return WINDOWS.find((one) => one === this.parameters.get("window")) ?? "7d";
  }

  private get by(): string {
    return SEGMENTS.find((one) => one === this.parameters.get("by")) ?? "country";
  }

  private get contents(): Titled[] {
    return [...(this.live.answer?.live ?? []), ...(this.top.answer?.contents ?? [])];
  }

  private get contentId(): string | null {
    return this.parameters.get("content") ?? this.usual;
  }

  protected override willUpdate(): void {
    const [window, by] = [this.window, this.by];
    this.live.ask("/v1/overview?limit=50");
    this.top.ask(`/v1/contents/top?window=${window}&limit=${LISTED}`);
    this.segments.ask(`/v1/preferences/top?window=${window}&by=${by}&segments=8&limit=5`);
    if (this.live.answer || this.live.failed) this.usual ??= this.contents[0]?.content_id ?? null;
    this.also.ask(
      this.contentId && contentPath(this.contentId, `/also-watched?window=${window}&limit=${SHOWN}`),
    );
  }

  protected override render() {
    if (this.top.failed && !this.top.answer)
      return html`<h1>${t("preferences.title")}</h1>
        ${stateOf(this.top.failed)}`;
    return html`
      <h1>${t("preferences.title")}</h1>
      ${this.controls()}
      <div class="pair">${this.alsoWatched()} ${this.mostWatched()}</div>
      ${this.bySegment()}
      <p class="quiet">${t("preferences.small")}</p>
    `;
  }

  private controls() {
    return html`
      <div class="controls">
        <gs-content-choice
          .contents=${this.contents}
          .chosen=${this.contentId ?? ""}
          @choose=${(event: CustomEvent<{ contentId: string | null }>) => {
            setParameters({ content: event.detail.contentId });
          }}
        ></gs-content-choice>
        <div class="row" role="group" aria-label=${t("preferences.window")}>
          ${WINDOWS.map(
            (window) =>
              html`<button
                type="button"
                aria-pressed=${this.window === window}
                @click=${() => {
                  setParameters({ window });
                }}
              >
                ${t(`preferences.window_${window}`)}
              </button>`,
          )}
        </div>
      </div>
    `;
  }

  private alsoWatched() {
    const { answer } = this.also;
    const chosen = this.contents.find((one) => one.content_id === this.contentId);
    const name = chosen?.title ?? this.contentId ?? "";
    const heading = name ? t("preferences.also", { title: name }) : t("preferences.also_watched");
    if (this.contentId === null && this.top.answer)
      return card(heading, html`<p class="empty">${t("preferences.choose")}</p>`);
    return this.tableCard(heading, this.also, alsoColumns(), ranked(answer?.contents ?? []), {
      note: answer
        ? [t("preferences.of_viewers", { count: answer.viewers }), asOf(answer.as_of)].join(" · ")
        : "",
      empty: t("preferences.also_nothing"),
      definition: "Preferences and segments",
    });
  }

  private mostWatched() {
    const rows = ranked(this.top.answer?.contents ?? []).slice(0, SHOWN);
    return this.tableCard(t("preferences.top"), this.top, topColumns(), rows, {
      note: this.top.answer ? t("preferences.until", { time: when(this.top.answer.to) }) : "",
      empty: t("preferences.top_nothing"),
      definition: "Top/watched_ms",
    });
  }

  private tableCard<Row>(
    heading: string,
    poll: Poll<AlsoWatched> | Poll<Top>,
    columns: Column<Row>[],
    rows: Row[],
    { note, empty, definition }: { note: string; empty: string; definition: string },
  ) {
    return card(
      heading,
      unanswered(poll) ??
        html`
          <p class="quiet">${note}</p>
          ${rows.length > 0 ? table(heading, columns, rows) : html`<p class="empty">${empty}</p>`}
        `,
      exportButton(heading, columns, rows, about(poll.answer)),
      definition,
    );
  }

  private bySegment() {
    const { answer } = this.segments;
    const heading = t("preferences.segments", { dimension: dimensionName(this.by) });
    return card(
      heading,
      unanswered(this.segments) ??
        html`
          <p class="quiet">${asOf(answer?.as_of ?? null)}</p>
          ${
            answer && answer.segments.length > 0
              ? segmentCards(answer)
              : html`<p class="empty">${t("preferences.segments_nothing")}</p>`
          }
        `,
      html`
        <label class="row">
          ${t("preferences.by")}
          <select
            @change=${(event: Event) => {
              setParameters({ by: (event.target as HTMLSelectElement).value });
            }}
          >
            ${SEGMENTS.map(
              (one) => html`<option value=${one} ?selected=${one === this.by}>${dimensionName(one)}</option>`,
            )}
          </select>
        </label>
        ${exportButton(heading, segmentColumns(this.by), answer ? segmentRows(answer) : [], about(answer))}
      `,
      "segments",
    );
  }
}

const card = (
  heading: string,
  body: unknown,
  tools: unknown = nothing,
  definition = "Preferences and segments",
): TemplateResult => html`
  <section class="card">
    <div class="head">
      <h2><bdi>${heading}</bdi></h2>
      <div class="row">
        <gs-definition name=${definition} label=${heading}></gs-definition>
        ${tools}
      </div>
    </div>
    ${body}
  </section>
`;

/** What stands in a card before its first answer, or instead of it. */
function unanswered({ answer, failed }: Poll<AlsoWatched> | Poll<Top> | Poll<TopBySegment>) {
  if (answer) return null;
  return failed ? stateOf(failed) : html`<p class="empty" role="status">${t("states.loading_title")}</p>`;
}

const when = (time: string): string => dayAndClock(Date.parse(time));

const asOf = (time: string | null): string =>
  time === null ? t("preferences.no_history") : t("preferences.as_of", { time: when(time) });

/** The lines before an export: from when to when it is. */
const about = (answer: { from: string; to: string } | null): Cell[][] =>
  answer ? [[t("preferences.window"), answer.from, answer.to]] : [];

declare global {
  interface HTMLElementTagNameMap {
    "gs-preferences": GsPreferences;
  }
}
