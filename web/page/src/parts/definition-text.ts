import { html, type TemplateResult } from "lit";

import type { Block, Table } from "../../../plugins/definitions.ts";

/** What a section of docs/metrics.md says: its paragraphs, lists and tables. */
export const told = (paragraphs: Block[]): TemplateResult[] =>
  paragraphs.map((block) => {
    if (typeof block === "string") return html`<p>${marked(block)}</p>`;
    if (Array.isArray(block))
      return html`<ul>
        ${block.map((item) => html`<li>${marked(item)}</li>`)}
      </ul>`;
    return table(block);
  });

const table = ({ head, rows }: Table): TemplateResult => html`
  <table>
    <thead>
      <tr>
        ${head.map((cell) => html`<th scope="col">${marked(cell)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell) => html`<td>${marked(cell)}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>
`;

/** Markdown's `code` and **strong**; everything else is text as it stands. */
const marked = (text: string): (string | TemplateResult)[] =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("**")) return html`<strong>${part.slice(2, -2)}</strong>`;
    return part;
  });
