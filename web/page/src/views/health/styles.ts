import { css } from "lit";

export const stateStyles = css`
  .state {
    white-space: nowrap;
    font-weight: 600;
  }
  .good,
  .state[data-state="ok"] {
    color: var(--good);
  }
  .state[data-state="idle"] {
    color: var(--quiet);
  }
  .state[data-state="busy"],
  .state[data-state="behind"] {
    color: var(--warn);
  }
  .bad,
  .state[data-state="failing"],
  .state[data-state="silent"] {
    color: var(--bad);
  }
  .reason {
    overflow-wrap: anywhere;
  }
`;

export const healthStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--gap);
  }
  .top {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 8px;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
  }
  .verdict {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 4px 16px;
    min-height: 5.5rem;
    align-content: start;
    border-inline-start: 6px solid var(--bad);
  }
  .verdict .row {
    grid-row: span 4;
    align-self: start;
    font-size: 1.25rem;
  }
  .verdict .sentence {
    font-size: 1.25rem;
    font-weight: 650;
    line-height: 1.35;
    overflow-wrap: anywhere;
  }
  .verdict[data-state="ok"] {
    border-inline-start-color: var(--good);
  }
  .verdict[data-state="busy"],
  .verdict[data-state="behind"] {
    border-inline-start-color: var(--warn);
  }
  .figures {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
    gap: var(--gap);
  }
  .charts,
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr));
    gap: var(--gap);
  }
  @media (min-width: 1100px) {
    .charts {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
  }
  @media (min-width: 1700px) {
    .charts {
      grid-template-columns: repeat(4, minmax(0, 1fr));
    }
  }
  .charts .card,
  .pair .card {
    min-width: 0;
  }
  .pair .card {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    align-content: start;
    gap: 12px;
    min-height: 24rem;
  }
  @media (max-width: 500px) {
    .verdict {
      grid-template-columns: minmax(0, 1fr);
    }
    .verdict .row {
      grid-row: auto;
    }
  }
`;
