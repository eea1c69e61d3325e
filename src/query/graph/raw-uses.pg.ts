import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';

const USES = loadSql(import.meta.url, 'raw-uses.sql');
const drivenBy = (condition: string): string => USES.replace('{driven}', condition);
const STATEMENTS = {
  user: drivenBy('a.usr = d.id'), // access_usr
  client: drivenBy('a.client = d.id'), // access_client
  resource: drivenBy('a.res = d.id'), // access_res
  time: drivenBy('true'), // access_at
} as const;
const NO_IDS = [0];

/** Uses that one answer walks one by one; where there are more, it counts the newest and says "at least". */
export const MAX_USES_WALKED = 50_000;

export interface RawUseFilter {
  readonly users?: readonly number[] | undefined;
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
  readonly agents?: readonly number[] | undefined;
  readonly from: number | string;
  readonly to: number | string;
}

export interface RawUse {
  /** Of the driving user, client or resource; 0 where time alone drives. */
  readonly id: number;
  readonly client: number;
  readonly res: number;
  readonly accesses: number;
  readonly allowed: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly firstUsed: number | null;
  readonly lastUsed: number | null;
  readonly agents: readonly number[];
}

export interface RawUses {
  readonly uses: readonly RawUse[];
  /** Driving ids of which not all uses were walked: what is said of them is the least there is. */
  readonly cut: ReadonlySet<number>;
}

/** Attributed uses by driving id, client and resource, from the uses themselves and under a budget: of users, or in a window. */
export async function readRawUses(snapshot: Snapshot, filter: RawUseFilter): Promise<RawUses> {
  const { users, clients, resources, agents, from, to } = filter;
  const [driver, ids] = users ? (['user', users] as const) : clients ? (['client', clients] as const) : resources ? (['resource', resources] as const) : (['time', NO_IDS] as const);
  if (ids.length === 0) return { uses: [], cut: new Set() };
  const budget = Math.max(1, Math.floor(MAX_USES_WALKED / ids.length));
  const rows = await snapshot.rows<Row>(STATEMENTS[driver], [String(snapshot.index), ids, from, to, budget, clients, resources, agents]);
  const walked = new Map<number, number>();
  for (const row of rows) walked.set(row.id, (walked.get(row.id) ?? 0) + row.walked);
  return {
    uses: rows.filter(({ accesses }) => accesses !== '0').map(useOf),
    cut: new Set([...walked].filter(([, count]) => count >= budget).map(([id]) => id)),
  };
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

const useOf = (row: Row): RawUse => ({
  id: row.id,
  client: row.client,
  res: row.res!,
  accesses: Number(row.accesses),
  allowed: Number(row.allowed),
  first: numberOrNull(row.first),
  last: numberOrNull(row.last),
  firstUsed: numberOrNull(row.first_used),
  lastUsed: numberOrNull(row.last_used),
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
