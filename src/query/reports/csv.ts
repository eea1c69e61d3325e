/** What a spreadsheet would take for a formula. Written with an apostrophe in front, which it shows as text (CWE-1236). */
const FORMULA = /^[=+\-@\t\r]/;

/** One record of RFC 4180: cells that need quotes have them, lines end in CRLF. Null is an empty cell. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Epoch seconds as RFC 3339: who opens a file has no clock that counts from 1970. */
export const csvTime = (seconds: number | null): string | null => (seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000', ''));
