import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";

/** Something is wrong: a sign, a word, and what was found. */
@customElement("gs-badge")
export class GsBadge extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-block;
        max-width: 100%;
      }
      .badge {
        display: flex;
        gap: 6px;
        align-items: baseline;
        padding: 1px 8px;
        border: 1px solid var(--bad);
        border-radius: 8px;
        background: var(--surface);
        color: var(--bad);
        font-size: 0.8125rem;
      }
      .detail {
        display: inline-block;
        color: var(--text);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property() label = "";
  @property() detail = "";

  protected override render() {
    return html`
      <span class="badge">
        <span aria-hidden="true">⚠</span>
        <span>
          <strong>${this.label}</strong>
          ${this.detail ? html`<span class="detail">${this.detail}</span>` : nothing}
        </span>
      </span>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-badge": GsBadge;
  }
}
