import { css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { FunctionHealth } from "../../api/types.ts";
import { t } from "../../i18n/locale.ts";
import { barStyles } from "../../parts/bar.ts";
import { GsElement } from "../../parts/element.ts";
import "../../parts/gs-definition.ts";
import { exportButton, table, tableStyles } from "../../parts/table.ts";
import { shared } from "../../styles/shared.ts";
import { cardStyles, functionCard } from "./function-card.ts";
import { functionColumns } from "./function-columns.ts";
import { staged, type Stage } from "./pipeline.ts";
import { stateStyles } from "./styles.ts";

/** Every function of the suite: the pipeline's stages side by side, or one table. */
@customElement("gs-pipeline")
export class GsPipeline extends GsElement {
  static override styles = [
    shared,
    tableStyles,
    barStyles,
    stateStyles,
    cardStyles,
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
      .error {
        min-width: 16rem;
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
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr));
        gap: 8px;
        margin-block-start: 8px;
        align-content: start;
      }
      h3 {
        color: var(--quiet);
        font-size: 0.875rem;
        font-weight: 600;
      }
      @media (min-width: 1100px) {
        .stages {
          grid-template: auto auto / minmax(0, 1fr) minmax(0, 1.1fr) minmax(0, 2fr) minmax(0, 2fr);
          row-gap: 0;
        }
        .stages section {
          display: grid;
          grid-row: span 2;
          grid-template-rows: subgrid;
        }
        .cards {
          grid-template-columns: repeat(auto-fill, minmax(min(100%, 11rem), 1fr));
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
            (one) => functionCard(one, one.name === this.blamed),
          )}
        </ul>
      </section>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-pipeline": GsPipeline;
  }
}
