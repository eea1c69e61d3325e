import { crc32 } from 'node:zlib';
import { MAX_EVENT_BYTES } from '../../contracts/index.js';
import type { WaitingEvent } from './waiting-event.js';

const NEWLINE = 0x0a;
const CRC_DIGITS = 8;

/**
 * Formats a line: `<crc32> <seq> <accepted> <event>\n`. The CRC-32 is in hex and covers the rest of the line; the numbers are decimal; the
 * JSON contains no newline.
 */
export function formatLine({ seq, acceptedAt, text }: WaitingEvent): string {
  return checked(`${seq} ${acceptedAt} ${text}`);
}

export const lineBytes = ({ seq, acceptedAt, bytes }: WaitingEvent): number =>
  CRC_DIGITS + 1 + String(seq).length + 1 + String(acceptedAt).length + 1 + bytes + 1;

/** Length of the longest line. */
export const MAX_LINE_BYTES = MAX_EVENT_BYTES + 64;

/** Parses a line without its newline; undefined if the line is damaged. */
export function parseLine(line: Buffer): WaitingEvent | undefined {
  const content = contentOf(line);
  const match = content === undefined ? null : /^(\d{1,16}) (\d{1,16}) (\{.*\})$/s.exec(content);
  if (match === null) return undefined;
  const [, seq, acceptedAt, text] = match;
  return { seq: Number(seq), acceptedAt: Number(acceptedAt), text: text!, bytes: Buffer.byteLength(text!) };
}

/** Formats a number that stands alone in a file, with a checksum like a line's. */
export const formatNumber = (value: number): string => checked(String(value).padStart(16, '0'));

export function parseNumber(file: Buffer): number | undefined {
  const content = contentOf(file.at(-1) === NEWLINE ? file.subarray(0, -1) : file);
  return content !== undefined && /^\d{16}$/.test(content) ? Number(content) : undefined;
}

const checked = (content: string): string => `${crc32(content).toString(16).padStart(CRC_DIGITS, '0')} ${content}\n`;

function contentOf(line: Buffer): string | undefined {
  const content = line.subarray(CRC_DIGITS + 1);
  return Number.parseInt(line.toString('latin1', 0, CRC_DIGITS), 16) === crc32(content)
    ? content.toString('utf8')
    : undefined;
}

/** Splits a buffer into its complete lines, and says where the last of them ends. */
export function splitLines(buffer: Buffer): {
  readonly lines: readonly { readonly line: Buffer; readonly end: number }[];
  readonly end: number;
} {
  const lines = [];
  let start = 0;
  for (let newline = buffer.indexOf(NEWLINE); newline !== -1; newline = buffer.indexOf(NEWLINE, start)) {
    lines.push({ line: buffer.subarray(start, newline), end: newline + 1 });
    start = newline + 1;
  }
  return { lines, end: start };
}
