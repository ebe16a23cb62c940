import { css, html, type TemplateResult } from "lit";

export const barStyles = css`
  .bar {
    display: block;
    width: 100%;
    height: 8px;
    border: 1px solid var(--control-line);
    border-radius: 4px;
    fill: var(--accent);
  }
  .bar:dir(rtl) {
    transform: scaleX(-1);
  }
`;

/** A share, 0 to 1, drawn; the number stands beside it. */
export const bar = (share: number): TemplateResult => html`
  <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
    <rect width=${Math.min(1, Math.max(0, share)) * 100} height="1"></rect>
  </svg>
`;
