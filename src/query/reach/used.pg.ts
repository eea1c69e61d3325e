import { byteaArray, int4Array, loadSql } from '../../platform/postgres/index.js';
import { MAX_COUNTED, type Prepared, readTotalUses, type Snapshot, type UsesRead } from '../../projections/index.js';
import type { ReachedToken, Start } from '../../selection/index.js';

const HOUR_S = 3_600;
/** An hour later than any other. */
const LAST_HOUR = 2 ** 31 - 1;

const USED = loadSql(import.meta.url, 'used.sql');
const drivenBy = (kind: string, ids: string, condition: string): Prepared => ({
  name: `reach-used-${kind}`,
  text: USED.replace('{ids}', ids).replace('{driven}', condition),
});
const OF_CLIENT = 'a.client = d.id AND a.bound_ix < $2'; // access_client
const OF_RESOURCE = 'a.res = d.id AND a.bound_ix < $2'; // access_res
const STATEMENTS = {
  user: drivenBy('user', '$5::int[]', 'a.usr = d.id AND a.bound_ix < $2'), // access_usr
  client: drivenBy('client', '$5::int[]', OF_CLIENT),
  agent: drivenBy('agent', '$5::int[]', 'a.agent = d.id AND coalesce(a.agent_ix, a.bound_ix) < $2'), // access_agent
  resource: drivenBy('resource', '$5::int[]', OF_RESOURCE),
  token: drivenBy('token', '$5::bytea[]', 'a.tok = d.id AND (a.foreign_ix IS NULL OR a.foreign_ix >= $2)'), // access_tok
} as const;
const FIRST_HOUR = loadSql(import.meta.url, 'first-hour.sql');
const firstHourOf = (kind: string, condition: string): Prepared => ({
  name: `reach-first-hour-${kind}`,
  text: FIRST_HOUR.replaceAll('{driven}', condition),
});
const FIRST_HOURS = {
  client: firstHourOf('client', OF_CLIENT),
  resource: firstHourOf('resource', OF_RESOURCE),
} as const;

export interface UsedRow {
  readonly [column: string]: unknown;
  readonly res: number | null;
  readonly op: number | null;
  readonly rows: string;
  readonly allowed: string;
  readonly denied: string;
  readonly records: string;
  readonly bytes: string;
  readonly first: string;
  readonly last: string;
}

/** Totals of all uses, also of those that the rows leave out. */
export interface UsedTotals {
  readonly allowed: number;
  readonly denied: number;
  readonly records: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Used {
  readonly rows: readonly UsedRow[];
  /** There are more uses than the rows count. */
  readonly atLeast: boolean;
  /** Only for a client or a resource: aggregates know their totals, however many uses there are. */
  readonly totals: UsedTotals | undefined;
}

export type UsedRows = Omit<Used, 'totals'>;

type Attributed = 'user' | 'client' | 'agent' | 'resource';

/** Whether uses name it. Whatever else was used is known through its tokens. */
export const isAttributed = <S extends Pick<Start, 'kind'>>(start: S): start is S & { readonly kind: Attributed } =>
  start.kind === 'user' || start.kind === 'client' || start.kind === 'agent' || start.kind === 'resource';

const COLUMNS = { user: 'usr', client: 'client', agent: 'agent', resource: 'res' } as const;

/** Reads the uses that are attributed to a user, client, agent or resource; of anything else, the uses of its tokens. */
export async function readUsed(
  snapshot: Snapshot,
  start: Start,
  tokens: readonly ReachedToken<unknown>[],
  since: number,
): Promise<UsedRows> {
  const [statement, driving] = isAttributed(start)
    ? [STATEMENTS[start.kind], int4Array(start.entities)]
    : [STATEMENTS.token, byteaArray(tokens.map(({ key }) => key))];
  const { index } = snapshot;
  const read: UsesRead = isAttributed(start)
    ? { index, [COLUMNS[start.kind]]: start.entities, from: since }
    : { index, tok: tokens.map(({ key }) => key), from: since };
  const rows = await snapshot.rows<UsedRow>({ ...statement, uses: () => [read] }, [
    String(index),
    since,
    MAX_COUNTED,
    driving,
  ]);
  return { rows, atLeast: rows.reduce((sum, row) => sum + Number(row.rows), 0) >= MAX_COUNTED };
}

/** The uses of the hour, the first use, and the newest. */
function readsOfFirstHour(
  { index }: Snapshot,
  column: 'client' | 'res',
  ids: readonly number[],
  since: number,
): readonly UsesRead[] {
  const used: UsesRead = { index, attributed: true, [column]: ids, from: since };
  return [
    { ...used, to: Math.ceil(since / HOUR_S) * HOUR_S },
    { ...used, most: { rows: 1, order: 'oldest', of: column } },
    { ...used, most: { rows: 1, order: 'newest', of: column } },
  ];
}

export async function readTotals(
  snapshot: Snapshot,
  { kind, entities: ids }: Start,
  since: number,
): Promise<UsedTotals | undefined> {
  if (kind !== 'client' && kind !== 'resource') return undefined;
  const first = Math.ceil(since / HOUR_S);
  const [whole, [part]] = await Promise.all([
    readTotalUses(snapshot, { of: kind, ids }, { first, end: LAST_HOUR }),
    snapshot.rows<Record<'n' | 'allowed' | 'records' | 'bytes' | 'first' | 'last', string>>(
      { ...FIRST_HOURS[kind], uses: () => readsOfFirstHour(snapshot, COLUMNS[kind], ids, since) },
      [String(snapshot.index), since, first * HOUR_S, ids],
    ),
  ]);
  const sum = (column: 'n' | 'allowed' | 'records' | 'bytes'): number => whole[column] + Number(part![column]);
  return {
    allowed: sum('allowed'),
    denied: sum('n') - sum('allowed'),
    records: sum('records'),
    bytes: sum('bytes'),
    first: Number(part!.first),
    last: Number(part!.last),
  };
}
