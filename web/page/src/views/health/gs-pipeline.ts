import { css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { FunctionHealth } from "../../api/types.ts";
import { t } from "../../i18n/locale.ts";
import { bar, barStyles } from "../../parts/bar.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import { exportButton, table, tableStyles } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { errorTold, facts, functionColumns } from "./function-columns.ts";
import { staged, type Stage } from "./pipeline.ts";
import { stateStyles } from "./styles.ts";
import { functionName, stateMark } from "./words.ts";

/** Every function of the suite: the pipeline's stages side by side, or one table. */
@customElement("gs-pipeline")
export class GsPipeline extends GsElement {
  static override styles = [
    shared,
    tableStyles,
    barStyles,
    stateStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 12px;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      .legend li {
        display: flex;
        align-items: center;
        gap: 4px;
      }
      .stages {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--gap);
      }
      ul {
        list-style: none;
      }
      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr));
        gap: 8px;
        margin-block-start: 8px;
      }
      .cards .card {
        display: grid;
        align-content: start;
        gap: 8px;
        min-width: 0;
        padding: 10px 12px;
      }
      .card.blamed {
        border: 2px solid var(--bad);
        padding: 9px 11px;
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 4px 8px;
      }
      h3 {
        color: var(--quiet);
        font-size: 0.875rem;
        font-weight: 600;
      }
      h4 {
        margin: 0;
        font-size: 1rem;
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 2px 12px;
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }
      dt {
        color: var(--quiet);
      }
      dd {
        text-align: end;
      }
      .error {
        font-size: 0.875rem;
        overflow-wrap: anywhere;
      }
      .arrow {
        color: var(--quiet);
      }
      @media (min-width: 1100px) {
        .stages {
          grid-template-columns: 1fr 1fr 1.6fr 1.6fr;
        }
        .cards {
          grid-template-columns: repeat(auto-fill, minmax(min(100%, 12rem), 1fr));
        }
      }
    `,
  ];

  @property({ attribute: false }) functions: FunctionHealth[] = [];
  /** The function that holds up the rest; "" where none does. */
  @property() blamed = "";
  @state() private tabled = false;

  protected override render() {
    const columns = functionColumns();
    return html`
      <div class="head">
        <h2>${t("health.functions")}</h2>
        <div class="row">
          <button
            type="button"
            aria-pressed=${this.tabled}
            @click=${() => {
              this.tabled = !this.tabled;
            }}
          >
            ${t("health.as_table")}
          </button>
          ${exportButton(t("health.functions"), columns, this.functions)}
        </div>
      </div>
      ${this.tabled ? table(t("health.functions"), columns, this.functions) : this.stages()}
    `;
  }

  private stages() {
    return html`
      <ul class="legend" aria-label=${t("health.legend")}>
        ${functionColumns().flatMap(({ label, definition }) =>
          definition
            ? [html`<li>${label} <gs-definition name=${definition} label=${label}></gs-definition></li>`]
            : [],
        )}
      </ul>
      <div class="stages">
        ${staged(this.functions).map(([stage, functions]) =>
          functions.length > 0 ? this.stage(stage, functions) : nothing,
        )}
      </div>
    `;
  }

  private stage(stage: Stage, functions: FunctionHealth[]) {
    return html`
      <section>
        <h3>${t(`health.stage_${stage}`)}</h3>
        <ul class="cards">
          ${repeat(
            functions,
            (one) => one.name,
            (one) => this.card(one),
          )}
        </ul>
      </section>
    `;
  }

  private card(one: FunctionHealth) {
    return html`
      <li class=${one.name === this.blamed ? "card blamed" : "card"}>
        <div class="name">
          <h4><bdi>${functionName(one.name)}</bdi></h4>
          ${stateMark(one.state)}
        </div>
        ${one.busy === null ? nothing : bar(one.busy)}
        <dl>
          ${facts()
            .filter(({ known }) => known(one))
            .map(
              ({ label, shown }) =>
                html`<dt>${label}</dt>
                  <dd>${shown?.(one)}</dd>`,
            )}
        </dl>
        ${
          one.last_error
            ? html`<p class="error">
                <strong>${t("health.last_error")}</strong> ${errorTold(one.last_error)}
              </p>`
            : nothing
        }
      </li>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-pipeline": GsPipeline;
  }
}
