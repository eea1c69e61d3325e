import { int4Array, loadSql } from '../../platform/index.js';
import type { Prepared, Snapshot } from '../snapshot.pg.js';
import type { Start } from './start.pg.js';
import type { ReachedToken } from './tokens.pg.js';

/** Grants that are read, evenly over client–resource pairs but at least 10 of each; with more, each number of users is a lower bound. */
const MAX_GRANTS = 250;
/** Of a user, whose resources they are. */
const MAX_GRANTS_OF_A_USER = 500;
/** Shown of each kind. */
export const MAX_SHOWN = 50;

const HELD = loadSql(import.meta.url, 'held.sql');
const STANDING = 'g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)';
const statement = (kind: string, pairs: string, driven: string): Prepared => ({
  name: `reach-held-${kind}`,
  text: HELD.replace('{pairs}', () => pairs).replace('{driven}', () => driven),
});
/** With the grants that there were of each: the last count before the index. */
const seenPairs = (condition: string): string => `SELECT s.client, s.res, coalesce(e.grants, 0) AS grants FROM edge_seen s
  LEFT JOIN LATERAL (SELECT e.grants FROM edge_grant e WHERE e.tenant = $1 AND e.client = s.client AND e.res = s.res AND e.from_ix < $2::bigint ORDER BY e.from_ix DESC LIMIT 1) e ON true
  WHERE s.tenant = $1 AND ${condition} AND s.first_ix < $2`;
const NO_PAIRS = 'SELECT NULL::int AS client, NULL::int AS res, NULL::bigint AS grants WHERE false';
/** By grant_client. */
const ofPairs = (condition: string): string => `SELECT g.*, row(f.client, f.res) AS pair FROM found f
  CROSS JOIN LATERAL (
    SELECT g.usr, g.client, g.res, g.agent FROM grant_version g
    WHERE g.tenant = $1 AND g.client = f.client AND g.res = f.res AND ${condition} AND ${STANDING}
    ORDER BY g.usr LIMIT (SELECT most FROM share)
  ) g`;
const STATEMENTS = {
  user: statement('user', NO_PAIRS, `SELECT g.usr, g.client, g.res, g.agent, 0 AS pair FROM grant_version g WHERE g.tenant = $1 AND g.usr = ANY ($3::int[]) AND ${STANDING} LIMIT $4`), // grant_version_pkey
  client: statement('client', seenPairs('s.client = ANY ($3::int[])'), ofPairs('true')),
  resource: statement('resource', seenPairs('s.res = ANY ($3::int[])'), ofPairs('true')), // edge_seen_res
  // How many of a pair are the agent's is not counted anywhere. The sum keeps the planner from grant_agent, which gives all of a pair, to sort them.
  agent: statement(
    'agent',
    'SELECT DISTINCT a.client, a.res, NULL::bigint AS grants FROM edge_agent_granted a WHERE a.tenant = $1 AND a.agent = ANY ($3::int[]) AND a.first_ix < $2::bigint',
    ofPairs('g.agent + 0 = ANY ($3)'),
  ),
  // Only what stands behind the tokens.
  token: statement('token', NO_PAIRS, 'SELECT NULL::int AS usr, NULL::int AS client, NULL::int AS res, NULL::int AS agent, 0 AS pair WHERE false AND $3::int[] IS NOT NULL'),
} as const;

export const GROUPS = ['users', 'clients', 'agents', 'resources'] as const;

interface HeldRow {
  readonly [column: string]: unknown;
  readonly kind: (typeof GROUPS)[number] | 'grants';
  readonly id: number;
  readonly grants: string;
  readonly total: string;
  readonly cut_off: boolean;
}

export interface Held {
  readonly grants: number;
  readonly atLeast: boolean;
  readonly groups: Readonly<Record<(typeof GROUPS)[number], { readonly count: number; readonly shown: readonly { readonly id: number; readonly grants: number }[] }>>;
}

export async function readHeld(snapshot: Snapshot, { kind, entities }: Start, tokens: readonly ReachedToken<unknown>[]): Promise<Held> {
  // A refresh token is for its RAS alone, which is no resource that anybody reaches.
  const pairs = tokens.flatMap((token) => (token.kind === 'refresh' ? [null] : token.resources).map((resource) => ({ ...token, resource })));
  const rows = await snapshot.rows<HeldRow>(STATEMENTS[kind === 'session' || kind === 'id_jag' ? 'token' : kind], [
    String(snapshot.index),
    entities,
    kind === 'user' ? MAX_GRANTS_OF_A_USER : MAX_GRANTS,
    MAX_SHOWN,
    int4Array(pairs.map(({ user }) => user)),
    int4Array(pairs.map(({ client }) => client)),
    int4Array(pairs.map(({ agent }) => agent)),
    int4Array(pairs.map(({ resource }) => resource)),
  ]);
  const counted = rows.find((row) => row.kind === 'grants')!;
  const group = (name: (typeof GROUPS)[number]) => {
    const of = rows.filter((row) => row.kind === name);
    return { count: Number(of[0]?.total ?? 0), shown: of.map(({ id, grants: held }) => ({ id, grants: Number(held) })) };
  };
  return {
    grants: Number(counted.grants),
    atLeast: counted.cut_off,
    groups: { users: group('users'), clients: group('clients'), agents: group('agents'), resources: group('resources') },
  };
}
