import { orNull } from '../ask/names.pg.js';
import { instantText, RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { DEFAULT_TENANT } from '../../registry/index.js';
import type { QuarantineItem, QuarantinePage } from './answers.js';
import { asOfOf } from '../ask/as-of.js';
import { readPage } from '../ask/page.js';
import { readFlag, readParameters, readUuid, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Ask } from '../../projections/index.js';

const QUARANTINE = loadSql(import.meta.url, 'quarantine.sql');
const NEWEST = String(2n ** 63n - 1n);
const POSITION = /^(?:0|[1-9][0-9]{0,18})$/;

export const QUARANTINE_PARAMETERS = ['code', 'source', 'operator', 'limit', 'cursor'] as const;
export const QUARANTINED_PARAMETERS = ['operator'] as const;

/** The caller. Records of no registered source are shown only to administrators of the tenant `default`. */
export interface QuarantineAsker {
  readonly tenant: string;
  readonly roles: { readonly admin?: unknown };
}

export interface QuarantineQuestions {
  /** Newest first. */
  list(asker: QuarantineAsker, query: unknown): Promise<QuarantinePage>;
  one(asker: QuarantineAsker, id: string, query: unknown): Promise<QuarantineItem>;
}

/**
 * Lists refused records: those of the tenant's sources or, with `operator`, those of unknown sources, which no tenant
 * sees.
 */
export function createQuarantineQuestions({
  ask,
  reader,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
}): QuarantineQuestions {
  function readOperator(parameters: Parameters, { tenant, roles }: QuarantineAsker): boolean {
    if (!readFlag(parameters, 'operator', false)) return false;
    if (roles.admin !== undefined && reader.tenantName(tenant) === DEFAULT_TENANT) return true;
    throw new RescindError('forbidden', {
      detail: `only an administrator of the tenant ${DEFAULT_TENANT} sees the operator’s part`,
    });
  }

  const itemOf = (row: QuarantineRow): QuarantineItem => ({
    id: row.id,
    at: instantText(Number(row.at_ms)),
    code: row.code,
    detail: row.detail,
    source: row.source === null ? null : reader.source(row.source),
    door: row.door,
    caller: row.caller,
    position:
      row.topic === null || row.cluster === null || row.partition === null || row.record_offset === null
        ? null
        : { cluster: row.cluster, topic: row.topic, partition: row.partition, offset: row.record_offset },
    mode: row.mode,
    size: row.size,
    headers: row.headers,
    text: row.bytes.toString('utf8'),
    whole: row.whole,
    replayed_at: orNull(row.replayed_ms, (ms) => instantText(Number(ms))),
  });

  return {
    list(asker, query) {
      const parameters = readParameters(query, QUARANTINE_PARAMETERS);
      const tenantKey = reader.tenantKey(asker.tenant);
      const operator = readOperator(parameters, asker);
      const source = readUuid(parameters, 'source');
      const page = readPage('quarantine', tenantKey, parameters);

      return ask(asker.tenant, async (snapshot) => {
        const rows = await snapshot.rows<QuarantineRow>(QUARANTINE, [
          page.after?.[0] ?? NEWEST,
          parameters.get('code'),
          source,
          page.limit + 1,
          operator,
          null,
        ]);
        const { shown, next } = page.cut(rows, ({ id }) => [id]);
        return { as_of: asOfOf(snapshot), items: shown.map(itemOf), ...next };
      });
    },
    async one(asker, id, query) {
      const operator = readOperator(readParameters(query, QUARANTINED_PARAMETERS), asker);
      const isId = POSITION.test(id) && BigInt(id) < BigInt(NEWEST);
      const [row] = isId
        ? await ask(asker.tenant, (snapshot) =>
            snapshot.rows<QuarantineRow>(QUARANTINE, [NEWEST, null, null, 1, operator, id]),
          )
        : [];
      if (!row) throw new RescindError('not-found', { detail: 'no such record in quarantine' });
      return itemOf(row);
    },
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
  readonly mode: 'binary' | 'structured' | 'batch' | 'ndjson' | 'set';
  readonly size: number;
  readonly headers: string;
  readonly bytes: Buffer;
  readonly whole: boolean;
  readonly replayed_ms: string | null;
}
