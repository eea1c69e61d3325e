import { printable } from '../output.js';

/** Writes a value as one word of a shell. */
export const quoted = (value: string): string =>
  /^[\w:/.@=+,-]+$/.test(value) ? value : `'${printable(value).replaceAll("'", `'\\''`)}'`;
