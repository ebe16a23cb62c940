import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { Poll } from "../../api/poll.ts";
import type { Completeness, Health } from "../../api/types.ts";
import { clock, duration } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import "../../parts/gs-figure.ts";
import { stateOf } from "../../parts/gs-state.ts";
import { tableStyles } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { charts } from "./charts.ts";
import { completeness, completenessStyles } from "./completeness.ts";
import "./gs-dead-letters.ts";
import "./gs-pipeline.ts";
import { healthStyles, stateStyles } from "./styles.ts";
import { verdict, type Verdict } from "./verdict.ts";
import { stateMark } from "./words.ts";

const LAGS = [
  "event_to_visible_ms_p50",
  "event_to_visible_ms_p99",
  "received_to_visible_ms_p50",
  "received_to_visible_ms_p99",
] as const;

/** What administrators see of the suite itself. */
@customElement("gs-health")
export class GsHealth extends GsElement {
  static override styles = [shared, tableStyles, stateStyles, completenessStyles, healthStyles];

  @property({ attribute: false }) parameters = new URLSearchParams();

  private readonly health = new Poll<Health>(this, 2_000);
  private readonly completeness = new Poll<Completeness>(this, 5_000);
  /** What was last said aloud, and about what: figures alone are no news. */
  private spoken = { about: "", sentence: "" };

  protected override willUpdate(): void {
    this.health.ask("/v1/health");
    this.completeness.ask("/v1/completeness");
  }

  protected override render() {
    const { answer, failed } = this.health;
    if (!answer)
      return html`<h1>${t("health.title")}</h1>
        ${failed ? stateOf(failed) : html`<gs-state></gs-state>`}`;
    const found = verdict(answer);
    return html`
      <div class="top">
        <h1>${t("health.title")}</h1>
        <p class="quiet number">${t("health.as_of", { time: clock(Date.parse(answer.as_of)) })}</p>
      </div>
      ${this.verdict(found)}
      <p class="visually-hidden" role="status">${this.news(answer, found)}</p>
      ${this.lag(answer)}
      <gs-pipeline .functions=${answer.functions} .blamed=${answer.bottleneck?.function ?? ""}></gs-pipeline>
      <section aria-label=${t("health.history")} class="charts">${charts(answer)}</section>
      <div class="pair">
        <section class="card">${this.accounted()}</section>
        <section class="card">
          <gs-dead-letters .total=${this.completeness.answer?.dead_letters ?? null}></gs-dead-letters>
        </section>
      </div>
    `;
  }

  private verdict({ state, sentence, figures, advice, error }: Verdict) {
    return html`
      <section class="card verdict" data-state=${state} aria-label=${t("health.bottleneck")}>
        <p class="row">
          ${stateMark(state)}
          <gs-definition name="Health/bottleneck" label=${t("health.bottleneck")}></gs-definition>
        </p>
        <p class="sentence">${sentence}</p>
        ${figures.length > 0 ? html`<p class="number">${figures.join(" · ")}</p>` : nothing}
        ${advice ? html`<p>${advice}</p>` : nothing}
        ${error ? html`<p class="quiet"><bdi class="reason" lang="en">${error}</bdi></p>` : nothing}
      </section>
    `;
  }

  private news(answer: Health, found: Verdict): string {
    const about = `${found.state} ${answer.bottleneck?.function ?? ""}`;
    if (about !== this.spoken.about) this.spoken = { about, sentence: found.sentence };
    return this.spoken.sentence;
  }

  private lag({ lag }: Health) {
    const detail = t("health.lag_of", { count: lag.events });
    return html`
      <section class="card" aria-label=${t("health.lag")}>
        <div class="figures">
          ${LAGS.map(
            (name) =>
              html`<gs-figure
                label=${t(`health.${name}`)}
                value=${duration(lag[name])}
                detail=${detail}
                definition="Health/${name}"
              ></gs-figure>`,
          )}
        </div>
      </section>
    `;
  }

  private accounted() {
    const { answer, failed } = this.completeness;
    if (answer) return completeness(answer);
    return failed ? stateOf(failed) : html`<p role="status">${t("states.loading_title")}</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-health": GsHealth;
  }
}
