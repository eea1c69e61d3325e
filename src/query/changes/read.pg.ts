import { loadSql } from '../../platform/postgres/index.js';
import type { Reader } from '../ask/reader.js';
import type { Snapshot } from '../../projections/index.js';
import { lineOfConnection, linesOfOnce, type Line, type OnceRow } from './lines.js';
import type { Granted, NewGrants } from './granted.pg.js';
import { linesOfUses } from './judge-uses.pg.js';
import { RULES_AFTER, type RulesAfter } from './used-after.js';

const sqlOf = (name: string): string => loadSql(import.meta.url, `${name}.sql`);
const listOf = (sql: string): string => `(SELECT json_agg(x) FROM (${sql}) x)`;
/** Versions of grants, other than their first, that one answer walks. */
export const MAX_VERSIONS_WALKED = 100_000;
/** Steps of connections that one answer lists, the newest; each is a line. */
export const MAX_STEPS_WALKED = 20_000;
/** Reads everything that happened, except grants, in one round trip. */
const HAPPENED = {
  name: 'changes',
  text: `SELECT ${listOf(sqlOf('connections').replace('{steps}', String(MAX_STEPS_WALKED)))} AS connections, ${listOf(sqlOf('once'))} AS once, ${listOf(sqlOf('users'))} AS users,
    (SELECT row_to_json(x) FROM (${RULES_AFTER}) x) AS rules`,
};
const GROWN = { name: 'changes-grown', text: sqlOf('grown') };

const NEVER = '9223372036854775807';
/** Seconds by which an event may lie ahead of its arrival; intake refuses more. */
const MAX_AHEAD_S = 600;

export interface Between {
  readonly since: Snapshot;
  readonly until: Snapshot;
  readonly clients: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

/**
 * Reads what happened between two moments; `appeared` are the new grants. `cut`: a budget ended before all was read.
 */
export async function readLines(
  between: Between,
  reader: Reader,
  { appeared, gained }: Granted,
): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const { since, until, clients, resources } = between;
  const [[row], grown] = await Promise.all([
    until.rows<HappenedRow>(HAPPENED, [
      String(since.index),
      String(until.index),
      clients,
      resources,
      [...gained.keys()],
      [...gained.values()].map(({ first }) => first),
      [...gained.values()].map(({ last }) => last),
      until.present ? NEVER : String(until.at + MAX_AHEAD_S + 1),
    ]),
    readGrown(between),
  ]);
  const { connections, once, users, rules } = row!;
  const uses = await linesOfUses(between, reader, rules);
  return {
    lines: [
      ...(connections ?? []).flatMap((one) => lineOfConnection(connectionOf(one)) ?? []),
      ...linesOfOnce((once ?? []).map(({ new_name, ...one }) => ({ ...one, fresh: new_name ?? false }))),
      ...appeared.map((one) => lineOfGrants('grants-appeared', one)),
      ...grown.grants.map((one) =>
        lineOfGrants('grants-grew', one, { added: [...new Set(one.added)].sort(), atLeast: grown.cut }),
      ),
      ...(users ?? []).map(
        ({ client, users: count, first_ix, last_ix }): Line => ({
          kind: 'users-appeared',
          client,
          res: null,
          first: first_ix,
          last: last_ix,
          what: { of: 'users', users: count },
        }),
      ),
      ...uses.lines,
    ],
    cut: grown.cut || uses.cut || (connections?.length ?? 0) >= MAX_STEPS_WALKED,
  };
}

interface GrownGrants extends NewGrants {
  readonly added: readonly string[];
}

/** Finds the grants that gained scopes. */
async function readGrown({
  since,
  until,
  clients,
  resources,
}: Between): Promise<{ readonly grants: readonly GrownGrants[]; readonly cut: boolean }> {
  const rows = await until.rows<GrownRow>(GROWN, [
    String(since.index),
    String(until.index),
    clients,
    resources,
    MAX_VERSIONS_WALKED,
  ]);
  return {
    grants: rows.flatMap((row) =>
      row.client === null
        ? []
        : {
            client: row.client,
            res: row.res,
            grants: row.grants,
            first: row.first_ix,
            last: row.last_ix,
            added: row.added.split(' '),
          },
    ),
    cut: rows[0]!.walked >= MAX_VERSIONS_WALKED,
  };
}

const lineOfGrants = (
  kind: 'grants-appeared' | 'grants-grew',
  { client, res, grants, first, last }: NewGrants,
  more: { readonly added?: readonly string[]; readonly atLeast: boolean } = { atLeast: false },
): Line => ({
  kind,
  client,
  res,
  first,
  last,
  what: { of: 'grants', grants, ...more },
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
  ix: row.ix,
});

/** A row of `HAPPENED`. A list without rows is null. */
interface HappenedRow {
  readonly [column: string]: unknown;
  readonly connections: readonly ConnectionRow[] | null;
  readonly once: readonly (Omit<OnceRow, 'fresh'> & { readonly new_name: boolean | null })[] | null;
  readonly users: readonly UsersRow[] | null;
  readonly rules: RulesAfter;
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
  readonly ix: number;
}

/** If no grant gained scopes, the only row says how many versions were walked. */
type GrownRow = { readonly [column: string]: unknown; readonly walked: number } & (
  | { readonly client: null }
  | {
      readonly client: number;
      readonly res: number;
      readonly grants: number;
      readonly first_ix: number;
      readonly last_ix: number;
      readonly added: string;
    }
);

interface UsersRow {
  readonly client: number;
  readonly users: number;
  readonly first_ix: number;
  readonly last_ix: number;
}
