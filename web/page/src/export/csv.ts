/** A cell of an export: text from outside, a number in full precision, or nothing. */
export type Cell = string | number | null;

const BYTE_ORDER_MARK = "\uFEFF";
/** What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * Rows as RFC 4180 writes them, in UTF-8 with a byte order mark, which spreadsheets want.
 *
 * Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers, negative ones too.
 */
export const csv = (rows: Cell[][]): string =>
  BYTE_ORDER_MARK + rows.map((cells) => `${cells.map(written).join(",")}\r\n`).join("");

function written(cell: Cell): string {
  if (cell === null) return "";
  const text = String(cell);
  const harmless = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
