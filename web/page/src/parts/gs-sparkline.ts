import { css, html, svg } from "lit";
import { customElement, property } from "lit/decorators.js";

import { shared } from "../styles/shared.ts";
import { GsElement } from "./element.ts";
import { areaOf, lineOf } from "./sparkline.ts";

/** A curve small enough for a row: from zero to its highest point, time from left to right in every language. */
@customElement("gs-sparkline")
export class GsSparkline extends GsElement {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      svg {
        display: block;
        width: 100%;
        height: 100%;
        overflow: visible;
      }
      .line {
        fill: none;
        stroke: var(--series-1);
        stroke-width: 2;
        stroke-linecap: round;
        stroke-linejoin: round;
        vector-effect: non-scaling-stroke;
      }
      .area {
        fill: var(--series-1);
        opacity: 0.15;
      }
    `,
  ];

  /** Evenly spaced, null where there is none. */
  @property({ attribute: false }) values: (number | null)[] = [];
  /** What the curve tells, in a sentence. */
  @property() label = "";

  protected override render() {
    return html`
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label=${this.label}>
        ${svg`<path class="area" d=${areaOf(this.values)} /><path class="line" d=${lineOf(this.values)} />`}
      </svg>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "gs-sparkline": GsSparkline;
  }
}
