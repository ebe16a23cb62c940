import { html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { live as current } from "lit/directives/live.js";

import { Poll } from "../../api/poll.ts";
import type { Overview } from "../../api/types.ts";
import { setParameters } from "../../app/router.ts";
import { UNKNOWN, clock, count, error } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import "../../parts/gs-figure.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { endedList, upcomingList } from "./beside.ts";
import { nothingYet } from "./empty.ts";
import "./gs-live-list.ts";
import { overviewStyles } from "./overview-styles.ts";

const EVERY_MS = 2_000;
const TYPING_MS = 250;

/** Every live content now, what comes and what has just ended. */
@customElement("gs-overview")
export class GsOverview extends GsElement {
  static override styles = overviewStyles;

  @property({ attribute: false }) parameters = new URLSearchParams();

  @query("input") private readonly input!: HTMLInputElement;
  /** The last answer, to whatever was asked: it stands until the next one is here. */
  @state() private shown: Overview | null = null;
  /** What stands in the search box, where that is not simply what is sought. */
  @state() private typed: string | null = null;
  private typing: ReturnType<typeof setTimeout> | undefined;

  private readonly poll = new Poll<Overview>(this, EVERY_MS, (answer) => {
    this.shown = answer;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.shortcut);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.shortcut);
    clearTimeout(this.typing);
  }

  private get sought(): string {
    return this.parameters.get("q") ?? "";
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("parameters")) return;
    if (this.typed?.trim() !== this.sought) this.typed = null;
    // the very same address in every page that seeks nothing, for a cache to answer
    this.poll.ask(
      `/v1/overview${this.sought ? `?${new URLSearchParams({ q: this.sought }).toString()}` : ""}`,
    );
  }

  protected override render() {
    return html`
      <div class="head">
        <h1>${t("overview.title")}</h1>
        ${this.totals()} ${this.search()}
      </div>
      ${this.body()}
    `;
  }

  private body() {
    const { failed } = this.poll;
    if (failed && (!failed.passing || !this.shown)) return stateOf(failed);
    if (!this.shown) return html`<gs-state .state=${"loading"}></gs-state>`;
    const { as_of, live, more, upcoming, ended } = this.shown;
    if (live.length + upcoming.length + ended.length === 0)
      return this.sought ? html`<gs-state .state=${"no-match"}></gs-state>` : nothingYet();
    const at = Date.parse(as_of);
    return html`
      <div class="columns">
        <section class="card" aria-labelledby="live">
          <h2 id="live">${t("overview.live")}</h2>
          ${
            live.length === 0
              ? html`<p class="quiet">${t("overview.live_none")}</p>`
              : html`<gs-live-list .live=${live} .at=${at}></gs-live-list>`
          }
          ${more > 0 ? html`<p class="quiet">${t("overview.more", { count: more })}</p>` : nothing}
        </section>
        <div class="aside">${upcomingList(upcoming, at)} ${endedList(ended, at)}</div>
      </div>
    `;
  }

  private totals() {
    const { live = [], more = 0, as_of = null } = this.shown ?? {};
    const viewers = live.reduce((sum, { concurrent }) => sum + concurrent, 0);
    const off = Math.ceil(Math.hypot(...live.map(({ concurrent_error }) => concurrent_error)));
    return html`
      <gs-figure
        label=${t("overview.viewers")}
        value=${as_of === null ? UNKNOWN : count(viewers)}
        error=${error(off)}
        detail=${as_of === null ? "" : t("overview.totals_sum", { count: live.length })}
        definition="Overview/concurrent"
      ></gs-figure>
      <gs-figure
        label=${t("overview.totals_live")}
        value=${as_of === null ? UNKNOWN : count(live.length + more)}
        detail=${as_of === null ? "" : t("overview.as_of", { time: clock(Date.parse(as_of)) })}
        definition="Overview/live"
      ></gs-figure>
    `;
  }

  private search() {
    return html`
      <search>
        <label class="visually-hidden" for="search">${t("overview.search")}</label>
        <input
          id="search"
          type="search"
          dir="auto"
          autocomplete="off"
          spellcheck="false"
          maxlength="200"
          placeholder=${t("overview.search_hint")}
          aria-keyshortcuts="/"
          .value=${current(this.typed ?? this.sought)}
          @input=${this.type}
        />
        <p role="status" class="quiet">${this.found()}</p>
      </search>
    `;
  }

  /** How much was found, told once an answer is here. */
  private found() {
    if (!this.sought || !this.poll.answer) return nothing;
    const { live, more, upcoming, ended } = this.poll.answer;
    return t("overview.found", { count: live.length + more + upcoming.length + ended.length });
  }

  private type(): void {
    this.typed = this.input.value;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      setParameters({ q: this.input.value.trim() || null });
    }, TYPING_MS);
  }

  private readonly shortcut = (event: KeyboardEvent): void => {
    const [target] = event.composedPath();
    const typing = target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    this.input.focus();
    this.input.select();
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-overview": GsOverview;
  }
}
