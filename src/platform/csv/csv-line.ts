/**
 * Matches text that a spreadsheet would take for a formula. It gets an apostrophe in front, so that the spreadsheet
 * shows it as text (CWE-1236).
 */
const FORMULA = /^[=+\-@\t\r]/;

/** Writes one record of RFC 4180: cells are quoted if necessary, and the line ends in CRLF. Null is an empty cell. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
