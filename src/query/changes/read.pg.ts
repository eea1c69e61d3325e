import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import type { NewGrants } from '../graph/known-grants.js';
import { lineOfConnection, linesOfOnce, type Line, type OnceRow } from './lines.js';
import type { Spans } from './granted.pg.js';
import { linesOfUses, MAX_RULES_COMPARED, USED_AFTER, type UsedAfter } from './used-after.js';

const sqlOf = (name: string): string => loadSql(import.meta.url, `${name}.sql`);
const listOf = (sql: string): string => `(SELECT json_agg(x) FROM (${sql}) x)`;
/** All that differs, in one round trip. */
const DIFFERENCES = {
  name: 'changes',
  text: `SELECT ${listOf(sqlOf('connections'))} AS connections, ${listOf(sqlOf('once'))} AS once, ${listOf(sqlOf('grown'))} AS grown,
    ${listOf(sqlOf('users'))} AS users, (SELECT row_to_json(x) FROM (${USED_AFTER}) x) AS used`,
};

/** Versions of grants, other than their first, that one answer walks. */
export const MAX_VERSIONS_WALKED = 20_000;
const NEVER = '9223372036854775807';
/** Intake lets no event lie further ahead of its arrival, seconds. */
const MAX_AHEAD_S = 600;

export interface Between {
  readonly since: Snapshot;
  readonly until: Snapshot;
  readonly clients: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

/** What two moments differ by, beside `appeared`, which are grants that are new: `cut` where a budget ended before what there is. */
export async function readLines(between: Between, appeared: readonly NewGrants[], gained: Spans): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const { since, until, clients, resources } = between;
  const [row] = await until.rows<DifferencesRow>(DIFFERENCES, [
    String(since.index),
    String(until.index),
    clients,
    resources,
    MAX_VERSIONS_WALKED,
    [...gained.keys()],
    [...gained.values()].map(({ first }) => first),
    [...gained.values()].map(({ last }) => last),
    MAX_RULES_COMPARED,
    until.present ? NEVER : String(until.at + MAX_AHEAD_S + 1),
  ]);
  const { connections, once, grown, users, used } = row!;
  const uses = linesOfUses(used, between);
  return {
    lines: [
      ...(connections ?? []).flatMap((one) => lineOfConnection(connectionOf(one)) ?? []),
      ...linesOfOnce((once ?? []).map(({ new_name, ...one }) => ({ ...one, fresh: new_name ?? false }))),
      ...appeared.map((one) => lineOfGrants('grants-appeared', one)),
      ...grown.flatMap((one) => (one.client === null ? [] : lineOfGrants('grants-grew', { ...one, first: one.first_ix, last: one.last_ix }, [...new Set(one.added.split(' '))].sort()))),
      ...(users ?? []).map(({ client, users: count, first_ix, last_ix }): Line => ({ kind: 'users-appeared', client, res: null, first: first_ix, last: last_ix, what: { of: 'users', users: count } })),
      ...uses.lines,
    ],
    cut: grown[0]!.walked >= MAX_VERSIONS_WALKED || uses.cut,
  };
}

const lineOfGrants = (kind: 'grants-appeared' | 'grants-grew', { client, res, grants, first, last }: NewGrants, added?: readonly string[]): Line => ({
  kind,
  client,
  res,
  first,
  last,
  what: { of: 'grants', grants, ...(added ? { added } : {}) },
});

const connectionOf = (row: ConnectionRow) => ({
  id: Buffer.from(row.id, 'hex').toString('base64url'),
  client: row.client,
  idpClient: row.idp_client,
  res: row.res,
  before: row.state_before,
  after: row.state_after,
  agentBefore: row.agent_before,
  agentAfter: row.agent_after,
  scopesBefore: row.scopes_before,
  scopesAfter: row.scopes_after,
  changedIx: row.changed_ix,
  turnedIx: row.turned_ix,
});

/** Null: there are none. */
interface DifferencesRow {
  readonly [column: string]: unknown;
  readonly connections: readonly ConnectionRow[] | null;
  readonly once: readonly (Omit<OnceRow, 'fresh'> & { readonly new_name: boolean | null })[] | null;
  /** Where no grant grew, one row says how many versions were walked. */
  readonly grown: readonly (GrownRow & { readonly walked: number })[];
  readonly users: readonly UsersRow[] | null;
  readonly used: UsedAfter;
}

interface ConnectionRow {
  readonly id: string;
  readonly client: number;
  readonly idp_client: number;
  readonly res: number;
  readonly state_before: 0 | 1 | 2 | null;
  readonly state_after: 0 | 1 | 2;
  readonly agent_before: number | null;
  readonly agent_after: number | null;
  readonly scopes_before: readonly string[];
  readonly scopes_after: readonly string[];
  readonly changed_ix: number;
  readonly turned_ix: number;
}

type GrownRow =
  | { readonly client: null }
  | { readonly client: number; readonly res: number; readonly grants: number; readonly first_ix: number; readonly last_ix: number; readonly added: string };

interface UsersRow {
  readonly client: number;
  readonly users: number;
  readonly first_ix: number;
  readonly last_ix: number;
}
