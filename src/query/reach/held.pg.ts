import { int4Array, loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import type { Start } from './start.pg.js';
import type { ReachedToken } from './tokens.pg.js';

/** Grants that are counted; with more, each number is a lower bound. */
const MAX_GRANTS = 1_000;
/** Shown of each kind. */
export const MAX_SHOWN = 100;

const HELD = loadSql(import.meta.url, 'held.sql');
const drivenBy = (condition: string): string => HELD.replace('{driven}', condition);
/** A grant has no index by its agent; there are few connections. */
const CLIENTS_OF_AGENT = `SELECT a.client FROM edge_agent_granted a WHERE a.tenant = $1 AND a.agent = ANY ($3::int[]) AND a.first_ix < $2
  UNION SELECT c.client FROM connection_version c WHERE c.tenant = $1 AND c.agent = ANY ($3) AND c.from_ix < $2
  UNION SELECT client FROM reached`;
const STATEMENTS = {
  user: drivenBy('g.usr = ANY ($3::int[])'), // grant_version_pkey
  client: drivenBy('g.client = ANY ($3::int[])'), // grant_client
  agent: drivenBy(`g.client = ANY (ARRAY(${CLIENTS_OF_AGENT})) AND g.agent = ANY ($3)`), // grant_client
  resource: drivenBy('g.res = ANY ($3::int[])'), // grant_res
  // Only what stands behind the tokens.
  token: drivenBy('false AND $3::int[] IS NOT NULL'),
} as const;

export const GROUPS = ['users', 'clients', 'agents', 'resources'] as const;

interface HeldRow {
  readonly [column: string]: unknown;
  readonly kind: (typeof GROUPS)[number] | 'grants';
  readonly id: number;
  readonly grants: string;
  readonly total: string;
}

export interface Held {
  readonly grants: number;
  readonly atLeast: boolean;
  readonly groups: Readonly<Record<(typeof GROUPS)[number], { readonly count: number; readonly shown: readonly { readonly id: number; readonly grants: number }[] }>>;
}

export async function readHeld(snapshot: Snapshot, { kind, entities }: Start, tokens: readonly ReachedToken<unknown>[]): Promise<Held> {
  const pairs = tokens.flatMap((token) => token.resources.map((resource) => ({ ...token, resource })));
  const statement = STATEMENTS[kind === 'session' || kind === 'id_jag' ? 'token' : kind];
  const rows = await snapshot.rows<HeldRow>(statement, [
    String(snapshot.index),
    entities,
    MAX_GRANTS,
    MAX_SHOWN,
    int4Array(pairs.map(({ user }) => user)),
    int4Array(pairs.map(({ client }) => client)),
    int4Array(pairs.map(({ agent }) => agent)),
    int4Array(pairs.map(({ resource }) => resource)),
  ]);
  const grants = Number(rows.find((row) => row.kind === 'grants')!.grants);
  const group = (name: (typeof GROUPS)[number]) => {
    const of = rows.filter((row) => row.kind === name);
    return { count: Number(of[0]?.total ?? 0), shown: of.map(({ id, grants: held }) => ({ id, grants: Number(held) })) };
  };
  return {
    grants,
    atLeast: grants === MAX_GRANTS,
    groups: { users: group('users'), clients: group('clients'), agents: group('agents'), resources: group('resources') },
  };
}
