import { css } from "lit";

/** What a chart looks like. Its height is `--chart-height`, so that nothing moves when curves come. */
export const chartStyle = css`
  :host {
    display: block;
    min-width: 0;
  }
  figure {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 6px;
    margin: 0;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 6px;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin-inline-start: auto;
  }
  .actions button {
    min-height: 26px;
    padding: 0 8px;
    font-size: 0.8125rem;
  }
  .plot {
    position: relative;
    border-radius: 6px;
  }
  .canvas {
    height: var(--chart-height, 14rem);
    overflow: hidden;
  }
  .keys {
    position: absolute;
    inset-block-end: 36px;
    inset-inline-start: 64px;
    width: fit-content;
    max-width: calc(100% - 80px);
    visibility: hidden;
    padding: 2px 8px;
    border-radius: 6px;
    background: var(--raised);
    color: var(--text);
    font-size: 0.8125rem;
    pointer-events: none;
  }
  .plot:focus-visible .keys {
    visibility: visible;
  }
  .u-select {
    background: var(--accent);
    opacity: 0.2;
  }
  .uplot .u-cursor-x {
    border-inline-end: 1px solid var(--text);
  }
  @media print {
    .actions {
      display: none;
    }
  }
`;
