import type { CountedAccess } from './recount.js';

/** Sums by key; the key is the row's primary key without its tenant, in JSON, names in place of ids. */
type Sums = Record<string, Record<string, number>>;

/** The tables of the aggregates, added up use by use. */
export interface CountedUses {
  readonly total: Sums;
  readonly client: Sums;
  readonly resource: Sums;
  readonly edge: Sums;
  readonly source: Sums;
  /** The first index, by client, resource and scope or agent. */
  readonly edgeScope: Readonly<Record<string, string>>;
  readonly edgeAgent: Readonly<Record<string, string>>;
}

const OPERATION_COLUMNS: Readonly<Record<string, string>> = {
  read: 'reads',
  write: 'writes',
  delete: 'deletes',
  export: 'exports',
  admin: 'admins',
};
const SUMMED = ['n', 'allowed', ...Object.values(OPERATION_COLUMNS), 'records', 'bytes'];

/** Indexes as `access` has them; a block is 65,536 of them. */
const blockOf = (ix: string): number => Math.floor(Number(ix) / 65_536);

export function addUpUses(accesses: Readonly<Record<string, CountedAccess>>): CountedUses {
  const uses = { total: {}, client: {}, resource: {}, edge: {}, source: {}, edgeScope: {}, edgeAgent: {} };
  for (const [ix, access] of Object.entries(accesses)) {
    const { boundIx, client, resource, scopes, agent, agentIx, source, outcome, from, to, n } = access;
    addTo(uses.source, [blockOf(ix), source], { came: n, attributed: 0 });
    if (boundIx === null) continue;
    const blk = blockOf(boundIx);
    const hour = Math.floor(from / 3_600);
    addTo(uses.source, [blk, source], { came: 0, attributed: n });
    addTo(uses.total, [blk, hour], sumsOf(access));
    addTo(uses.client, [client, blk, hour], sumsOf(access));
    if (resource === null) continue;
    addTo(uses.resource, [resource, blk, hour], sumsOf(access));
    const edge = addTo(uses.edge, [blk, client, resource], sumsOf(access));
    spanTo(edge, 'first_at', 'last_at', from, to);
    if (outcome !== 'allowed') continue;
    spanTo(edge, 'first_allowed', 'last_allowed', from, to);
    for (const scope of scopes) lowerTo(uses.edgeScope, [client, resource, scope], boundIx);
    if (agent !== null) lowerTo(uses.edgeAgent, [client, resource, agent], agentIx!);
  }
  return uses;
}

function sumsOf({ outcome, operation, n, records, bytes }: CountedAccess): Record<string, number> {
  const sums = Object.fromEntries(SUMMED.map((column) => [column, 0]));
  sums['n'] = n;
  if (outcome !== 'allowed') return sums;
  return { ...sums, allowed: n, [OPERATION_COLUMNS[operation]!]: n, records: records ?? 0, bytes: bytes ?? 0 };
}

function addTo(table: Sums, key: readonly unknown[], sums: Readonly<Record<string, number>>): Record<string, number> {
  const row = (table[JSON.stringify(key)] ??= {});
  for (const [column, value] of Object.entries(sums)) row[column] = (row[column] ?? 0) + value;
  return row;
}

function spanTo(row: Record<string, number>, first: string, last: string, from: number, to: number): void {
  row[first] = Math.min(row[first] ?? from, from);
  row[last] = Math.max(row[last] ?? to, to);
}

function lowerTo(table: Record<string, string>, key: readonly unknown[], ix: string): void {
  const name = JSON.stringify(key);
  if (table[name] === undefined || BigInt(ix) < BigInt(table[name])) table[name] = ix;
}

/** The stored tables in the same shape. */
export async function readUses(
  rows: (sql: string) => Promise<any[]>,
  name: (id: number) => string,
  word: (id: number) => string,
): Promise<CountedUses> {
  const sums = async (table: string, columns: readonly string[], key: (row: any) => unknown[]): Promise<Sums> =>
    Object.fromEntries(
      (await rows(`SELECT * FROM ${table} WHERE tenant = $1`)).map((row) => [
        JSON.stringify(key(row)),
        Object.fromEntries(
          columns.filter((column) => row[column] !== null).map((column) => [column, Number(row[column])]),
        ),
      ]),
    );
  const firsts = async (table: string, key: (row: any) => unknown[]): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await rows(`SELECT * FROM ${table} WHERE tenant = $1`)).map((row) => [JSON.stringify(key(row)), row.first_ix]),
    );
  return {
    total: await sums('use_total', SUMMED, (row) => [row.blk, row.hour]),
    client: await sums('use_client', SUMMED, (row) => [name(row.client), row.blk, row.hour]),
    resource: await sums('use_res', SUMMED, (row) => [name(row.res), row.blk, row.hour]),
    edge: await sums('edge_use', [...SUMMED, 'first_at', 'last_at', 'first_allowed', 'last_allowed'], (row) => [
      row.blk,
      name(row.client),
      name(row.res),
    ]),
    source: await sums('use_source', ['came', 'attributed'], (row) => [row.blk, row.source]),
    edgeScope: await firsts('edge_scope_used', (row) => [name(row.client), name(row.res), word(row.scope)]),
    edgeAgent: await firsts('edge_agent_used', (row) => [name(row.client), name(row.res), name(row.agent)]),
  };
}
