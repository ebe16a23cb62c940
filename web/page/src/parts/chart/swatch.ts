import { css, html, svg } from "lit";
import { styleMap } from "lit/directives/style-map.js";

import { dashOf, type ChartSeries } from "./model.ts";

export const swatchStyle = css`
  svg.swatch {
    flex: none;
    width: 28px;
    height: 10px;
  }
`;

/** A curve's stroke, as it stands beside its name: colour and dashes. */
export function swatch(series: Pick<ChartSeries, "style" | "dash">, index: number) {
  const width = series.style === "bars" ? 8 : 3;
  const dash = dashOf(series, index).join(" ");
  return html`
    <svg
      class="swatch"
      viewBox="0 0 28 10"
      aria-hidden="true"
      style=${styleMap({ stroke: `var(--series-${(index % 8) + 1})` })}
    >
      ${svg`<line x1="0" x2="28" y1="5" y2="5" stroke-width=${width} stroke-dasharray=${dash} />`}
    </svg>
  `;
}
