import { css } from "lit";

/** What the view of a content looks like. */
export const contentStyle = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--gap);
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 4px 12px;
  }
  h1 {
    overflow-wrap: anywhere;
  }
  header bdi.quiet {
    overflow-wrap: anywhere;
  }
  .as-of {
    margin-inline-start: auto;
    font-variant-numeric: tabular-nums;
  }
  .badge {
    padding: 0 10px;
    border: 1px solid currentcolor;
    border-radius: 999px;
    color: var(--quiet);
    font-size: 0.875rem;
    font-weight: 650;
  }
  .badge.live {
    border-color: var(--bad);
    color: var(--bad);
  }
  .badge.live::before {
    content: "● " / "";
  }
  .figures {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
    align-items: end;
    gap: 8px var(--gap);
  }
  .figures .large {
    grid-column: span 2;
    --figure-size: 2.5rem;
  }
  .body {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--gap);
  }
  .main,
  aside {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    align-content: start;
    gap: var(--gap);
  }
  .charts {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--gap);
  }
  .charts .head,
  .charts .note,
  .charts .concurrent {
    grid-column: 1 / -1;
  }
  .charts .concurrent {
    --chart-height: 20rem;
  }
  gs-chart {
    --chart-height: 11.5rem;
  }
  .caption {
    grid-column: 1 / -1;
    font-size: 0.875rem;
  }
  @media (min-width: 46rem) {
    .charts {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
    /* the odd one */
    .charts .errors {
      grid-column: 1 / -1;
    }
  }
  @media (min-width: 70rem) {
    .figures {
      grid-template-columns: minmax(0, 1.2fr) repeat(5, minmax(0, 1fr));
    }
    .figures .large {
      grid-column: 1;
      grid-row: span 2;
      align-self: center;
      --figure-size: 3.5rem;
    }
  }
  @media (min-width: 1800px) {
    .charts {
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }
  }
  @media (min-width: 1400px) {
    .body {
      grid-template-columns: minmax(0, 1fr) 23rem;
    }
  }
`;
