import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { t } from "../i18n/locale.ts";
import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";
import "./gs-definition.ts";

/** One figure with its name, its definition one click away, how far it may be off, and a line of detail under it. */
@customElement("gs-figure")
export class GsFigure extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .label,
      .error {
        display: inline-flex;
        align-items: center;
        gap: 4px;
        color: var(--quiet);
        font-size: 0.875rem;
      }
      .value > bdi,
      .label span {
        min-width: 0;
      }
      .label span {
        hyphens: auto;
        overflow-wrap: anywhere;
      }
      .error {
        font-weight: 400;
        white-space: nowrap;
      }
      .value {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        column-gap: 8px;
        font-size: var(--figure-size, 1.625rem);
        font-weight: 650;
        line-height: 1.25;
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      .detail {
        min-height: 1.5em;
        color: var(--quiet);
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property() label = "";
  @property() value = "";
  @property() detail = "";
  /** The key of its section in docs/metrics.md. */
  @property() definition = "";
  /** One standard error as people read it (format.ts: `error`); empty where the value is exact. */
  @property() error = "";
  /** The key of the error's section in docs/metrics.md. */
  @property({ attribute: "error-definition" }) errorDefinition = "";

  protected override render() {
    return html`
      <div class="label">
        <span id="label">${this.label}</span>
        ${
          this.definition
            ? html`<gs-definition name=${this.definition} label=${this.label}></gs-definition>`
            : nothing
        }
      </div>
      <div class="value">
        <bdi role="group" aria-labelledby="label">${this.value}</bdi>
        ${this.error ? this.off() : nothing}
      </div>
      <div class="detail">${this.detail}</div>
    `;
  }

  private off() {
    return html`
      <span class="error">
        <bdi>${this.error}</bdi>
        ${
          this.errorDefinition
            ? html`<gs-definition
                name=${this.errorDefinition}
                label=${t("definition.error_of", { figure: this.label })}
              ></gs-definition>`
            : nothing
        }
      </span>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-figure": GsFigure;
  }
}
