import { css } from "lit";

export const preferencesStyles = css`
  :host {
    display: grid;
    gap: var(--gap);
  }
  .controls {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: var(--gap);
  }
  gs-content-choice {
    flex: 1 1 16rem;
    max-width: 32rem;
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr));
    gap: var(--gap);
  }
  .pair .card {
    min-height: 24rem;
  }
  .card {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    align-content: start;
    gap: 8px;
    min-width: 0;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: start;
    justify-content: space-between;
    gap: 8px;
  }
  .head h2 {
    flex: 1 1 12rem;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .empty {
    padding-block: 24px;
    color: var(--quiet);
  }
  .ranked {
    display: flex;
    gap: 8px;
    min-width: 10rem;
    overflow-wrap: anywhere;
  }
  .rank {
    flex: none;
    min-width: 1.25em;
    color: var(--quiet);
    font-variant-numeric: tabular-nums;
  }
  .share {
    display: grid;
    gap: 4px;
    width: 5.5rem;
    margin-inline-start: auto;
  }
  .lift {
    display: block;
    min-width: 7rem;
  }
  .segments {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr));
    gap: 24px var(--gap);
    min-height: 20rem;
    align-content: start;
  }
  ol {
    display: grid;
    gap: 10px;
    margin: 8px 0 0;
    padding-inline-start: 1.5em;
    font-variant-numeric: tabular-nums;
  }
  li,
  h3 {
    overflow-wrap: anywhere;
  }
  .watched {
    display: block;
    font-size: 0.875rem;
  }
`;
