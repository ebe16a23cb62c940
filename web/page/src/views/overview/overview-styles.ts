import { css } from "lit";

import { shared } from "../../styles/shared.ts";
import { besideStyles } from "./beside.ts";
import { emptyStyles } from "./empty.ts";

export const overviewStyles = [
  shared,
  besideStyles,
  emptyStyles,
  css`
    .head {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 8px 40px;
      min-height: 7rem;
    }
    .head gs-figure {
      --figure-size: 2rem;
      min-width: 8rem;
    }
    search {
      display: grid;
      flex: 1 1 16rem;
      max-width: 26rem;
      margin-inline-start: auto;
    }
    search p {
      min-height: 1.5em;
      font-size: 0.875rem;
    }
    input::placeholder {
      color: var(--quiet);
      opacity: 1;
    }
    .columns {
      display: grid;
      gap: var(--gap);
    }
    .aside {
      display: grid;
      gap: var(--gap);
      align-content: start;
      min-width: 0;
    }
    .card {
      min-width: 0;
    }
    .card > p {
      margin-block-start: 12px;
    }
    @media (min-width: 70rem) {
      .columns {
        grid-template-columns: minmax(0, 1fr) 17.5rem;
      }
    }
    @media (max-width: 40rem) {
      .head {
        gap: 4px 24px;
      }
      .head gs-figure {
        --figure-size: 1.625rem;
      }
      h1 {
        width: 100%;
      }
      search {
        max-width: none;
      }
    }
  `,
];
