import { css } from "lit";

/** What every element of the page looks like inside. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host([hidden]) {
    display: none;
  }

  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul {
    margin: 0;
    padding: 0;
  }

  h1 {
    font-size: 1.5rem;
    line-height: 1.25;
  }

  h2 {
    font-size: 1.125rem;
    line-height: 1.3;
  }

  h3 {
    font-size: 1rem;
  }

  a {
    color: var(--accent);
  }

  button,
  input,
  select {
    min-height: 36px;
    padding: 4px 12px;
    border: 1px solid var(--control-line);
    border-radius: 8px;
    background: var(--surface);
    color: var(--text);
    font: inherit;
  }

  button {
    cursor: pointer;
  }

  button:hover {
    background: var(--raised);
  }

  button[aria-pressed="true"],
  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }

  button:disabled {
    cursor: default;
    opacity: 0.6;
  }

  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }

  table {
    border-collapse: collapse;
    width: 100%;
    font-variant-numeric: tabular-nums;
  }

  th,
  td {
    padding: 6px 10px;
    border-block-end: 1px solid var(--line);
    text-align: start;
  }

  td.number,
  th.number {
    text-align: end;
  }

  .card {
    padding: var(--gap);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    box-shadow: var(--shadow);
  }

  .quiet {
    color: var(--quiet);
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }

  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  /* where the system chooses the colours, what is pressed still shows */
  @media (forced-colors: active) {
    button[aria-pressed="true"],
    button.primary {
      forced-color-adjust: none;
      border-color: Highlight;
      background: Highlight;
      color: HighlightText;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;
