import { Readable } from 'node:stream';
import { csvLine } from '../platform/csv/index.js';
import type { ExploreRow } from './answers.js';

/** All rows of a question, as they are written. */
export interface RowsFile {
  readonly contentType: string;
  readonly fileName: string;
  readonly body: Readable;
}

/** A file that is not read to its end in this time is cut off. */
const FILE_TIMEOUT_MS = 600_000;
/** Bytes that wait for the reader before the next range is read. */
const BUFFERED_BYTES = 65_536;

type Cells = (row: ExploreRow) => string | number | null;
const COLUMNS: Readonly<Record<string, Cells>> = {
  index: ({ index }) => index,
  at: ({ at }) => at,
  until: ({ until }) => until ?? null,
  count: ({ count }) => count,
  attributed: ({ attributed }) => String(attributed),
  user_iss: ({ user }) => user?.iss ?? null,
  user_tenant: ({ user }) => user?.tenant ?? null,
  user: ({ user }) => user?.sub ?? null,
  client_iss: ({ client }) => client?.iss ?? null,
  client: ({ client }) => client?.client_id ?? null,
  agent_iss: ({ agent }) => agent?.iss ?? null,
  agent: ({ agent }) => agent?.id ?? null,
  resource: ({ resource }) => resource?.uri ?? null,
  operation: ({ operation }) => operation,
  outcome: ({ outcome }) => outcome,
  status: ({ status }) => status,
  route: ({ route }) => route,
  scopes: ({ scopes }) => scopes.join(' '),
  records: ({ records }) => records,
  bytes: ({ bytes }) => bytes,
  client_address: ({ client_address: address }) => address,
  token: ({ token }) => token,
  source: ({ source }) => source.name,
  source_id: ({ source }) => source.id,
};

const FORMATS = {
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: csvLine(Object.keys(COLUMNS)),
    line: (row: ExploreRow): string => csvLine(Object.values(COLUMNS).map((cell) => cell(row))),
  },
  jsonl: {
    contentType: 'application/x-ndjson',
    head: '',
    line: (row: ExploreRow): string => `${JSON.stringify(row)}\n`,
  },
} as const;

/**
 * Writes rows as a file while it is read: the next rows are asked for when the reader has taken the last ones. A failure, or a reader that is
 * too slow, cuts the body off. `end` runs when the body is over, however it ends.
 */
export function writeRows(
  format: keyof typeof FORMATS,
  rows: AsyncIterable<readonly ExploreRow[]>,
  end: () => void,
  timeoutMs = FILE_TIMEOUT_MS,
): RowsFile {
  const { contentType, head, line } = FORMATS[format];
  async function* texts(): AsyncGenerator<string> {
    if (head !== '') yield head;
    for await (const some of rows) if (some.length > 0) yield some.map(line).join('');
  }
  const body = Readable.from(texts(), { objectMode: false, highWaterMark: BUFFERED_BYTES });
  const timer = setTimeout(() => body.destroy(new Error('the file was not read in time')), timeoutMs);
  timer.unref();
  // The reader notices a failure as a body that was cut off.
  body.on('error', () => undefined);
  body.once('close', () => {
    clearTimeout(timer);
    end();
  });
  return { contentType, fileName: `uses.${format}`, body };
}
