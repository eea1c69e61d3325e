import { RescindError } from '../../contracts/index.js';
import { parseStrictJson } from '../../platform/http/index.js';
import { DIRECTORY_KINDS, type DirectoryKind } from '../../query/index.js';
import { CsvError, parseCsv } from './csv.js';
import { readRow, type DirectoryRow, type Members } from './rows.js';

export const CSV_MEDIA_TYPE = 'text/csv';

/** Entries of one file. */
export const MAX_ENTRIES = 20_000;
/** Faulty lines that a refusal shows; it counts the rest. */
const MAX_LINES_SHOWN = 100;

/** Members of an entry; in a CSV file its columns. */
export const DIRECTORY_COLUMNS = [
  'kind',
  'iss',
  'tenant',
  'id',
  'display_name',
  'user_name',
  'emails',
  'active',
  'owner',
  'team',
  'tags',
] as const;

/** A line of a file. `line` counts from 1: lines of a CSV file, items of a JSON list. */
interface Line {
  readonly line: number;
  readonly members: Members;
}

interface Fault {
  readonly line: number;
  readonly detail: string;
}

/**
 * Reads the entries of a file, all or none. Throws `invalid-request` with what is wrong on each line (`lines`, and
 * `faults`, their number). CSV has a header that names its columns, in any order, and separates addresses and
 * tags by semicolons; JSON is a list of objects.
 */
export function readDirectoryFile(bytes: Uint8Array, mediaType: string): readonly DirectoryRow[] {
  const lines = mediaType === CSV_MEDIA_TYPE ? linesOfCsv(bytes) : linesOfJson(bytes);
  if (lines.length > MAX_ENTRIES) refuseTooMany();
  const faults: Fault[] = [];
  const rows: DirectoryRow[] = [];
  const seen = new Map<string, number>();
  for (const { line, members } of lines) {
    try {
      const row = rowOf(members);
      const name = JSON.stringify([row.kind, row.parts]);
      const before = seen.get(name);
      if (before !== undefined) throw new TypeError(`names what line ${before} names`);
      seen.set(name, line);
      rows.push(row);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      faults.push({ line, detail: error.message });
    }
  }
  if (faults.length > 0) throw refusal(faults);
  return rows;
}

function refuseTooMany(): never {
  throw new RescindError('too-large', { detail: `at most ${MAX_ENTRIES} entries a file` });
}

function refusal(faults: readonly Fault[]): RescindError {
  const detail = `${faults.length} of the lines cannot be taken, so none was; line ${faults[0]!.line}: ${faults[0]!.detail}`;
  return new RescindError('invalid-request', {
    detail,
    extensions: { faults: faults.length, lines: faults.slice(0, MAX_LINES_SHOWN) },
  });
}

function rowOf({ kind, iss, tenant, id, ...members }: Members): DirectoryRow {
  if (typeof kind !== 'string' || !Object.hasOwn(DIRECTORY_KINDS, kind))
    throw new TypeError(`\`kind\` is one of ${Object.keys(DIRECTORY_KINDS).join(', ')}`);
  const unknown = Object.keys(members).find((name) => !(DIRECTORY_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new TypeError(`\`${unknown.slice(0, 64)}\` is no member of an entry`);
  return readRow(kind as DirectoryKind, { iss, tenant, id }, members);
}

function linesOfJson(bytes: Uint8Array): Line[] {
  const value = parseStrictJson(bytes);
  if (!Array.isArray(value))
    throw new RescindError('invalid-request', { detail: 'the body must be a list of entries' });
  return value.map((members: unknown, nth) => ({
    line: nth + 1,
    members: typeof members === 'object' && members !== null && !Array.isArray(members) ? (members as Members) : {},
  }));
}

function linesOfCsv(bytes: Uint8Array): Line[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RescindError('invalid-utf8');
  }
  const [header, ...records] = parsed(text);
  if (header === undefined)
    throw refusal([{ line: 1, detail: `the first line names the columns: ${DIRECTORY_COLUMNS.join(',')}` }]);
  const unknown = header.fields.find((name) => !(DIRECTORY_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw refusal([
      { line: 1, detail: `\`${unknown.slice(0, 64)}\` is no column; there are ${DIRECTORY_COLUMNS.join(',')}` },
    ]);
  if (new Set(header.fields).size < header.fields.length)
    throw refusal([{ line: 1, detail: 'a column is named twice' }]);
  const short = records.flatMap(({ line, fields }) =>
    fields.length === header.fields.length
      ? []
      : [{ line, detail: `has ${fields.length} fields, and the header ${header.fields.length}` }],
  );
  if (short.length > 0) throw refusal(short);
  return records.map(({ line, fields }) => ({ line, members: membersOf(header.fields, fields) }));
}

function parsed(text: string) {
  try {
    return parseCsv(text, MAX_ENTRIES + 1, refuseTooMany);
  } catch (error) {
    if (error instanceof CsvError) throw refusal([{ line: error.line, detail: error.message }]);
    throw error;
  }
}

function membersOf(names: readonly string[], fields: readonly string[]): Members {
  return Object.fromEntries(names.map((name, nth) => [name, valueOf(name, fields[nth]!.trim())]));
}

function valueOf(name: string, text: string): unknown {
  if (name === 'emails' || name === 'tags') return text === '' ? [] : text.split(';').map((one) => one.trim());
  if (name === 'active' && text === '') return undefined;
  if (name === 'active' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
