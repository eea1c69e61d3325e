import { int4Array, loadSql } from '../../platform/postgres/index.js';
import { MAX_COUNTED, personOf, type Prepared, type Snapshot } from '../../projections/index.js';
import type { Dimension } from '../../rules/index.js';
import type { ReachedToken, Start } from '../../selection/index.js';

/** Items shown of each kind. */
export const MAX_SHOWN = 50;

const HELD = loadSql(import.meta.url, 'held.sql').replace('{person}', () => personOf('u.usr', '$2'));
const STANDING = 'g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)';
const statement = (kind: string, driven: string): Prepared => ({
  name: `reach-held-${kind}`,
  text: HELD.replace('{driven}', () => driven),
});
const grantsBy = (condition: string): string =>
  `SELECT g.usr, g.client, g.res, g.agent FROM grant_version g WHERE g.tenant = $1 AND ${STANDING} AND ${condition}`;
/** Statements of the dimensions by which grants are recorded. */
const STATEMENTS: Partial<Record<Dimension, Prepared>> = {
  user: statement('user', grantsBy('g.usr = ANY ($3::int[])')), // grant_version_pkey
  client: statement('client', grantsBy('g.client = ANY ($3::int[])')), // grant_client
  resource: statement('resource', grantsBy('g.res = ANY ($3::int[])')), // grant_res
  agent: statement('agent', grantsBy('g.agent = ANY ($3::int[])')), // grant_agent
  issuer: statement(
    'issuer',
    grantsBy(
      'EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.id IN (g.usr, g.client) AND e.parts ->> 0 = $3::text)',
    ),
  ),
};
/** The statement of every other dimension, which has no grants of its own: it counts only those behind the tokens. */
const OF_TOKENS = statement(
  'token',
  'SELECT NULL::int AS usr, NULL::int AS client, NULL::int AS res, NULL::int AS agent WHERE false AND $3::int[] IS NOT NULL',
);

export const GROUPS = ['users', 'clients', 'agents', 'resources'] as const;

interface HeldRow {
  readonly [column: string]: unknown;
  readonly kind: (typeof GROUPS)[number] | 'grants';
  readonly id: number;
  readonly grants: string;
  /** For users, all ids of one person; else null. */
  readonly names: readonly number[] | null;
  readonly total: string;
  readonly cut_off: boolean;
}

interface Shown {
  readonly id: number;
  readonly grants: number;
  /** Ids under which tokens are recorded for it. */
  readonly ids: readonly number[];
}

export interface Held {
  readonly grants: number;
  /** There are more grants than were counted. */
  readonly atLeast: boolean;
  readonly groups: Readonly<
    Record<(typeof GROUPS)[number], { readonly count: number; readonly shown: readonly Shown[] }>
  >;
}

export async function readHeld(
  snapshot: Snapshot,
  start: Start,
  tokens: readonly ReachedToken<unknown>[],
): Promise<Held> {
  const { kind, entities } = start;
  // A refresh token is for its RAS alone, which is no resource that anybody reaches.
  const pairs = tokens.flatMap((token) =>
    (token.kind === 'refresh' || token.resources.length === 0 ? [null] : token.resources).map((resource) => ({
      ...token,
      resource,
    })),
  );
  const rows = await snapshot.rows<HeldRow>(STATEMENTS[kind] ?? OF_TOKENS, [
    String(snapshot.index),
    kind === 'issuer' ? start.names[0]!.selector.issuer : entities,
    MAX_COUNTED,
    MAX_SHOWN,
    int4Array(pairs.map(({ user }) => user)),
    int4Array(pairs.map(({ client }) => client)),
    int4Array(pairs.map(({ agent }) => agent)),
    int4Array(pairs.map(({ resource }) => resource)),
  ]);
  const counted = rows.find((row) => row.kind === 'grants')!;
  const group = (name: (typeof GROUPS)[number]) => {
    const of = rows.filter((row) => row.kind === name);
    return {
      count: Number(of[0]?.total ?? 0),
      shown: of.map(({ id, grants, names }) => ({ id, grants: Number(grants), ids: names ?? [id] })),
    };
  };
  return {
    grants: Number(counted.grants),
    atLeast: counted.cut_off,
    groups: {
      users: group('users'),
      clients: group('clients'),
      agents: group('agents'),
      resources: group('resources'),
    },
  };
}
