import { eventType, parseEventType, type EventName } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { OwnProjectedEvent } from '../event.js';
import { writeRules, type RuleSource } from './write.pg.js';

const OWN: readonly EventName[] = ['revocation.ordered', 'revocation.lifted'];
const FROM_SOURCES: readonly EventName[] = [
  'session.ended',
  'token.revoked',
  'user.disabled',
  'user.enabled',
  'client.disabled',
  'client.enabled',
  'connection.deleted',
  'connection.created',
  'connection.updated',
];
/** Entries that are held at a time. */
const PAGE = 1_000;
const TENANT_KEYS = `SELECT DISTINCT ON (tenant) tenant, body ->> 'key' AS key FROM control_log WHERE kind = 'tenant.changed' ORDER BY tenant, seq DESC`;
const OPEN = loadSql(import.meta.url, 'entries-of-rules.sql');

type Query = <R>(sql: string, values?: readonly unknown[]) => Promise<R[]>;

/** Fills the tables of rules from the entries that are there already. In the caller's transaction, which has a cursor of its own. */
export async function fillRules(query: Query): Promise<void> {
  const rows = await query<{ tenant: string; key: string }>(TENANT_KEYS);
  const keys = new Map(rows.map(({ tenant, key }) => [tenant, Buffer.from(key, 'base64url')]));
  const client = { query: async (sql: string, values: readonly unknown[]) => ({ rows: await query(sql, values) }) } as never;
  await query(OPEN, [[...OWN, ...FROM_SOURCES].map((name) => eventType(name))]);
  for (;;) {
    const page = await query<EntryRow>(`FETCH ${PAGE} FROM entries_of_rules`);
    if (page.length === 0) break;
    const told = page.flatMap((row) => {
      const tenantKey = keys.get(row.tenant);
      return tenantKey ? [{ ...readEntry(row), tenant: row.tenant, tenantKey, ix: BigInt(row.ix), arrivalMs: Number(row.arrival), source: row.source }] : [];
    });
    const own = told.filter(({ name }) => OWN.includes(name)) as unknown as OwnProjectedEvent[];
    const fromSources = told.filter(({ name }) => FROM_SOURCES.includes(name)) as unknown as RuleSource[];
    await writeRules(client, fromSources, own);
  }
  await query('CLOSE entries_of_rules');
}

interface EntryRow {
  readonly tenant: string;
  readonly ix: string;
  readonly arrival: string;
  readonly type: string;
  readonly source: string;
  readonly mode: string;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

function readEntry({ type, mode, attributes, bytes }: EntryRow) {
  const value = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  const said = mode === 'binary' ? { ...headersOf(attributes), data: value } : (value as { id: string; time: string; data: unknown });
  return { name: parseEventType(type)!, id: said.id, atMs: Date.parse(said.time), data: said.data };
}

/** Name and value, each after its length in 32 bits (wire.md, "Entry"); of binary mode, where each attribute is a header `ce_…`. */
function headersOf(attributes: Buffer): { readonly id: string; readonly time: string } {
  const headers = new Map<string, string>();
  let at = 0;
  const take = (): string => {
    const start = at + 4;
    at = start + attributes.readUInt32BE(at);
    return attributes.toString('utf8', start, at);
  };
  while (at < attributes.length) headers.set(take(), take());
  return { id: headers.get('ce_id')!, time: headers.get('ce_time')! };
}
