import { css, html, nothing, type TemplateResult } from "lit";

import { csv, type Cell } from "../export/csv.ts";
import { download, fileName } from "../export/download.ts";
import { t } from "../i18n/locale.ts";
import "./gs-definition.ts";

/** A column of a table: what people see of a row, and what an export holds of it. */
export interface Column<Row> {
  label: string;
  /** The key of its section in docs/metrics.md. */
  definition?: string;
  number?: boolean;
  /** Untold, the column stands in exports alone. */
  shown?: (row: Row) => unknown;
  /** Untold, the column is left out of exports. */
  raw?: (row: Row) => Cell;
}

/** Wide tables scroll in a region of their own: the page never does. */
export const tableStyles = css`
  .scrolling {
    position: relative; /* words for screen readers scroll with it: they are laid out absolutely */
    overflow-x: auto;
  }
  .scrolling th:first-child {
    min-width: 8rem;
  }
  .scrolling .moment,
  .scrolling td.number {
    white-space: nowrap;
  }
  .scrolling tbody th {
    font-weight: 600;
    overflow-wrap: break-word;
  }
  .scrolling thead th {
    min-width: 4.5rem;
    color: var(--quiet);
    font-size: 0.875rem;
    font-weight: 600;
    vertical-align: bottom;
  }
`;

/** A table whose first column names its rows. */
export function table<Row>(name: string, columns: Column<Row>[], rows: Row[]): TemplateResult {
  const seen = columns.flatMap(({ shown, ...column }) => (shown ? [{ ...column, shown }] : []));
  return html`
    <div class="scrolling" role="region" aria-label=${name} tabindex="0">
      <table>
        <caption class="visually-hidden">
          ${name}
        </caption>
        <thead>
          <tr>
            ${seen.map(
              ({ label, definition, number }) =>
                html`<th scope="col" class=${number ? "number" : nothing}>
                  ${label}
                  ${
                    definition
                      ? html`<gs-definition name=${definition} label=${label}></gs-definition>`
                      : nothing
                  }
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${seen.map(({ number, shown }, index) =>
                  index === 0
                    ? html`<th scope="row">${shown(row)}</th>`
                    : html`<td class=${number ? "number" : nothing}>${shown(row)}</td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** The button that saves a table as CSV; `about` are lines before it that say what it is of. */
export const exportButton = <Row>(
  name: string,
  columns: Column<Row>[],
  rows: Row[],
  about: Cell[][] = [],
): TemplateResult => html`
  <button
    type="button"
    aria-label=${t("table.csv_of", { table: name })}
    ?disabled=${rows.length === 0}
    @click=${() => {
      download(fileName([name], "csv"), "text/csv;charset=utf-8", tableCsv(name, columns, rows, about));
    }}
  >
    ${t("table.csv")}
  </button>
`;

/** What such a button saves. */
export function tableCsv<Row>(
  name: string,
  columns: Column<Row>[],
  rows: Row[],
  about: Cell[][] = [],
): string {
  const told = columns.flatMap(({ label, raw }) => (raw ? [{ label, raw }] : []));
  return csv([
    [name],
    ...about,
    told.map(({ label }) => label),
    ...rows.map((row) => told.map(({ raw }) => raw(row))),
  ]);
}
