import { loadSql } from '../platform/index.js';
import type { QuarantinePage } from './answers.js';
import { decodeCursor, encodeCursor, questionOf } from './cursor.js';
import { invalid, readLimit, readParameters } from './parameters.js';
import type { Reader } from './reader.js';
import type { Ask } from './snapshot.pg.js';

const QUARANTINE = loadSql(import.meta.url, 'quarantine.sql');
const NEWEST = String(2n ** 63n - 1n);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const QUARANTINE_PARAMETERS = ['code', 'source', 'limit', 'cursor'] as const;

/** What was refused of the tenant's sources, newest first. Records of unknown sources are the operator's: no tenant sees them. */
export function createQuarantineQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<QuarantinePage> => {
    const parameters = readParameters(query, QUARANTINE_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const limit = readLimit(parameters);
    const source = parameters.get('source');
    if (source !== undefined && !UUID.test(source)) throw invalid('`source` is the id of a source, a UUID in lower case');
    const question = questionOf('quarantine', parameters);
    const [before] = parameters.has('cursor') ? decodeCursor(tenantKey, question, parameters.get('cursor')!) : [NEWEST];

    return ask(tenant, async (snapshot) => {
      const rows = await snapshot.rows<QuarantineRow>(QUARANTINE, [before, parameters.get('code'), source, limit + 1]);
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        as_of: { index: String(snapshot.head) },
        items: shown.map((row) => ({
          id: row.id,
          at: Number(row.at_ms),
          code: row.code,
          detail: row.detail,
          source: row.source === null ? null : reader.source(row.source),
          door: row.door,
          caller: row.caller,
          position:
            row.topic === null || row.cluster === null || row.partition === null || row.record_offset === null
              ? null
              : { cluster: row.cluster, topic: row.topic, partition: row.partition, offset: row.record_offset },
          size: row.size,
          headers: row.headers,
          text: row.bytes.toString('utf8'),
        })),
        ...(last ? { next: encodeCursor(tenantKey, question, [last.id]) } : {}),
      };
    });
  };
}

interface QuarantineRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly source: string | null;
  readonly at_ms: string;
  readonly code: string;
  readonly detail: string;
  readonly door: 'kafka' | 'http';
  readonly caller: string | null;
  readonly cluster: string | null;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly record_offset: string | null;
  readonly size: number;
  readonly headers: string;
  readonly bytes: Buffer;
}
