import { printable } from '../contracts/index.js';
import type { Answer } from './client.js';
import { createLocalTime, rfc3339Of } from './local-time.js';

/** Formats rows as aligned columns; an absent member is a dash. */
export function formatTable(rows: readonly Answer[], columns: readonly string[]): string {
  if (rows.length === 0) return 'none\n';
  const cells = [
    columns.map((column) => column.toUpperCase().replaceAll('_', ' ')),
    ...rows.map((row) => columns.map((column) => formatCell(row[column]))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]!.length)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, at) => (at === columns.length - 1 ? cell : cell.padEnd(widths[at]!)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Formats a record, one member a line. */
export function formatRecord(record: Answer): string {
  const members = Object.entries(record).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...members.map(([name]) => name.length));
  return members.map(([name, value]) => `${name.padEnd(width)}  ${formatCell(value)}\n`).join('');
}

function formatCell(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (typeof value === 'string') return printable(localTime(value));
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.length === 0 ? '-' : value.map(printable).join(', ');
  return printable(JSON.stringify(value));
}

const ANSWERED_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/;

/**
 * Shows a time of an answer in a time zone, by default that of the process (`TZ`), with its distance from UTC. The result is RFC 3339 too,
 * so that it can be given to an option. Returns any other text as it is.
 */
export function localTime(text: string, zone?: string): string {
  const match = ANSWERED_TIME.exec(text);
  if (match === null || Number.isNaN(Date.parse(text))) return text;
  return rfc3339Of(createLocalTime(zone)(Date.parse(text)), match[1]);
}

export { printable };
