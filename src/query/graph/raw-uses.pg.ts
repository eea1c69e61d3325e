import { loadSql } from '../../platform/postgres/index.js';
import { MAX_COUNTED, type Snapshot, type UsesRead } from '../../projections/index.js';
import type { PairUse } from './pairs.js';

const USES = loadSql(import.meta.url, 'raw-uses.sql');
const drivenBy = (condition: string): string => USES.replace('{driven}', condition);
const STATEMENTS = {
  user: drivenBy('a.usr = d.id'), // access_usr
  client: drivenBy('a.client = d.id'), // access_client
  resource: drivenBy('a.res = d.id'), // access_res
  time: drivenBy('true'), // access_at
} as const;
const NO_IDS = [0];

export interface RawUseFilter {
  readonly users?: readonly number[] | undefined;
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
  readonly agents?: readonly number[] | undefined;
  readonly from: number | string;
  readonly to: number | string;
}

export interface RawUse extends PairUse {
  readonly client: number;
  readonly res: number;
  readonly agents: readonly number[];
}

export interface RawUses {
  readonly uses: readonly RawUse[];
  /** Says whether some uses of a client and resource were not walked, also if `uses` has none of them. */
  readonly isCut: (of: { readonly client: number; readonly res: number }) => boolean;
}

/**
 * Sums attributed uses by client and resource from single uses, at most `MAX_COUNTED` of them. For users with an agent
 * filter and for windows, which no aggregate covers.
 */
export async function readRawUses(snapshot: Snapshot, filter: RawUseFilter): Promise<RawUses> {
  const { users, clients, resources, agents, from, to } = filter;
  const [driver, ids] = users
    ? (['user', users] as const)
    : clients
      ? (['client', clients] as const)
      : resources
        ? (['resource', resources] as const)
        : (['time', NO_IDS] as const);
  if (ids.length === 0) return { uses: [], isCut: () => false };
  const budget = Math.max(1, Math.floor(MAX_COUNTED / ids.length));
  const { index } = snapshot;
  const column = ({ user: 'usr', client: 'client', resource: 'res', time: undefined } as const)[driver];
  const read: UsesRead = { index, attributed: true, from, to, ...(column ? { [column]: ids } : {}) };
  const rows = await snapshot.rows<Row>({ text: STATEMENTS[driver], uses: () => [read] }, [
    String(index),
    ids,
    from,
    to,
    budget,
    clients,
    resources,
    agents,
  ]);
  const walked = new Map<number, number>();
  for (const row of rows) walked.set(row.id, (walked.get(row.id) ?? 0) + row.walked);
  const cut = new Set([...walked].filter(([, count]) => count >= budget).map(([id]) => id));
  return {
    uses: rows.filter(({ accesses }) => accesses !== '0').map((row) => useOf(row, cut.has(row.id))),
    isCut: ({ client, res }) =>
      driver === 'user' ? cut.size > 0 : cut.has({ client, resource: res, time: 0 }[driver]),
  };
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

const useOf = (row: Row, cut: boolean): RawUse => ({
  client: row.client,
  res: row.res!,
  accesses: Number(row.accesses),
  allowed: Number(row.allowed),
  first: numberOrNull(row.first),
  last: numberOrNull(row.last),
  firstUsed: numberOrNull(row.first_used),
  lastUsed: numberOrNull(row.last_used),
  cut,
  agents: row.agents,
});

interface Row {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly client: number;
  readonly res: number | null;
  readonly walked: number;
  readonly accesses: string;
  readonly allowed: string;
  readonly first: string | null;
  readonly last: string | null;
  readonly first_used: string | null;
  readonly last_used: string | null;
  readonly agents: readonly number[];
}
