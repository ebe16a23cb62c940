import { css, html, svg, unsafeCSS } from "lit";

import { dashOf, type ChartSeries } from "./model.ts";

const COLOURS = 8;
const strokes = Array.from(
  { length: COLOURS },
  (_, index) => `svg.of-${index} { stroke: var(--series-${index + 1}); }`,
);

export const swatchStyle = css`
  svg.swatch {
    flex: none;
    width: 28px;
    height: 10px;
  }
  ${unsafeCSS(strokes.join("\n"))}
`;

/** A curve's stroke, as it stands beside its name: colour and dashes. */
export function swatch(series: Pick<ChartSeries, "style" | "dash">, index: number) {
  const width = series.style === "bars" ? 8 : 3;
  const dash = dashOf(series, index).join(" ");
  return html`
    <svg class="swatch of-${index % COLOURS}" viewBox="0 0 28 10" aria-hidden="true">
      ${svg`<line x1="0" x2="28" y1="5" y2="5" stroke-width=${width} stroke-dasharray=${dash} />`}
    </svg>
  `;
}
