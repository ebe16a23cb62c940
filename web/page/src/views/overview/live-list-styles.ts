import { css } from "lit";

import { shared } from "../../styles/shared.ts";

/** A grid of rows and columns; below 45 rem of its own width each row is a card. */
export const liveListStyles = [
  shared,
  css`
    :host {
      display: block;
      container-type: inline-size;
    }
    table {
      display: grid;
      grid-template-columns: minmax(11rem, 3fr) minmax(7rem, 3fr) 7.5rem 6.75rem 8.5rem minmax(8rem, 2fr);
    }
    thead,
    tbody,
    tr {
      display: grid;
      grid-column: 1 / -1;
      grid-template-columns: subgrid;
    }
    th,
    td {
      display: flex;
      flex-direction: column;
      justify-content: center;
      min-width: 0;
      padding: 6px 8px;
      border: 0;
    }
    thead th {
      flex-direction: row;
      align-items: center;
      justify-content: flex-start;
      gap: 4px;
      color: var(--quiet);
      font-size: 0.8125rem;
      font-weight: 500;
      line-height: 1.3;
    }
    thead tr,
    tbody tr {
      border-block-end: 1px solid var(--line);
    }
    tbody tr {
      position: relative;
      min-height: 4.5rem;
      background: var(--surface);
    }
    tbody tr:hover {
      background: var(--raised);
    }
    /* the whole row is the link */
    a::after {
      position: absolute;
      inset: 0;
      content: "";
    }
    a {
      display: -webkit-box;
      overflow: hidden;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 2;
      color: var(--text);
      font-weight: 650;
      text-decoration: none;
      overflow-wrap: anywhere;
    }
    tr:hover a {
      text-decoration: underline;
    }
    .about {
      max-width: 100%;
      overflow: hidden;
      color: var(--quiet);
      font-size: 0.8125rem;
      font-weight: 400;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .about :not(:last-child) {
      margin-inline-end: 8px;
    }
    gs-sparkline {
      width: 100%;
      height: 2.5rem;
    }
    .viewers,
    .change,
    .stalls {
      align-items: flex-end;
      text-align: end;
    }
    thead .viewers,
    thead .change,
    thead .stalls {
      padding-inline-start: 0;
      align-items: center;
      justify-content: flex-end;
    }
    .figure {
      font-size: 1.375rem;
      font-weight: 650;
      line-height: 1.2;
    }
    .error {
      min-height: 1.2em;
      color: var(--quiet);
      font-size: 0.8125rem;
      line-height: 1.2;
    }
    .up {
      color: var(--good);
    }
    .down {
      color: var(--warn);
    }
    tbody .content,
    tbody .problems {
      align-items: flex-start;
    }
    tbody .problems {
      gap: 4px;
    }
    tbody .change span {
      white-space: nowrap;
    }
    .label {
      display: none;
      color: var(--quiet);
      font-size: 0.8125rem;
    }

    @container (max-width: 45rem) {
      table {
        display: block;
      }
      thead tr {
        display: flex;
        flex-wrap: wrap;
        gap: 0 12px;
        padding-block: 4px;
      }
      thead th {
        padding: 2px 0;
      }
      tbody {
        display: block;
      }
      tbody tr {
        grid-template:
          "content content" auto
          "trend viewers" auto
          "trend change" auto
          "trend stalls" auto
          "problems problems" auto
          / 1fr 10rem;
        column-gap: 16px;
        padding-block: 8px;
      }
      tbody th,
      tbody td {
        padding: 2px 0;
      }
      .content {
        grid-area: content;
      }
      .about {
        white-space: normal;
        overflow-wrap: anywhere;
      }
      .trend {
        grid-area: trend;
      }
      gs-sparkline {
        height: 4rem;
      }
      .viewers {
        grid-area: viewers;
      }
      .change {
        grid-area: change;
      }
      .stalls {
        grid-area: stalls;
      }
      .problems {
        grid-area: problems;
      }
      .problems .quiet {
        display: none;
      }
      .change,
      .stalls {
        flex-flow: row wrap;
        justify-content: flex-end;
        gap: 0 8px;
      }
      .label {
        display: inline;
      }
    }
  `,
];
