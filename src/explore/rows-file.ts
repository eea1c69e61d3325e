import { csvLine } from '../platform/csv/index.js';
import type { ExploreRow } from './answers.js';
import { nameColumns, type Cell, type NamedMember } from './name-cells.js';
import { CSV_CONTENT_TYPE, streamTexts, type WrittenFile } from './written-file.js';

type Column = readonly [name: string, cell: (row: ExploreRow) => Cell];

const named = (member: NamedMember): Column[] =>
  nameColumns(member).map(([column, cell]) => [column, (row) => cell(row[member])]);

const COLUMNS: readonly Column[] = [
  ['index', ({ index }) => index],
  ['at', ({ at }) => at],
  ['until', ({ until }) => until ?? null],
  ['count', ({ count }) => count],
  ['attributed', ({ attributed }) => String(attributed)],
  ...named('user'),
  ...named('client'),
  ...named('agent'),
  ...named('resource'),
  ['operation', ({ operation }) => operation],
  ['outcome', ({ outcome }) => outcome],
  ['status', ({ status }) => status],
  ['route', ({ route }) => route],
  ['scopes', ({ scopes }) => scopes.join(' ')],
  ['records', ({ records }) => records],
  ['bytes', ({ bytes }) => bytes],
  ['client_address', ({ client_address: address }) => address],
  ['token', ({ token }) => token],
  ...named('source'),
];

const FORMATS = {
  csv: {
    contentType: CSV_CONTENT_TYPE,
    head: csvLine(COLUMNS.map(([name]) => name)),
    line: (row: ExploreRow): string => csvLine(COLUMNS.map(([, cell]) => cell(row))),
  },
  jsonl: {
    contentType: 'application/x-ndjson',
    head: '',
    line: (row: ExploreRow): string => `${JSON.stringify(row)}\n`,
  },
} as const;

/** Writes rows as a file while it is read: the next rows are asked for when the reader has taken the last ones. */
export function writeRows(
  format: keyof typeof FORMATS,
  rows: AsyncIterable<readonly ExploreRow[]>,
  end: () => void,
): WrittenFile {
  const { contentType, head, line } = FORMATS[format];
  async function* texts(): AsyncGenerator<string> {
    if (head !== '') yield head;
    for await (const some of rows) if (some.length > 0) yield some.map(line).join('');
  }
  return { contentType, fileName: `uses.${format}`, body: streamTexts(texts(), end) };
}
