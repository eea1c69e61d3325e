import {
  DIMENSIONS,
  ruleKey,
  ruleKeyFromBytes,
  type Dimension,
  type RuleKey,
  type TokenKeys,
} from '../../rules/index.js';
import type { Names } from '../ask/names.pg.js';
import type { Snapshot } from '../../projections/index.js';
import { findStoppingAsOf } from '../../selection/index.js';

export interface ReviewedGrant {
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
}

/**
 * Reads the key of each name and those of the names tied to it. OFFSET 0 keeps the look-ups name by name through the
 * indexes; without it the planner reads all ties.
 */
const READ_KEYS = {
  name: 'reviewed-keys',
  text: `SELECT e.id, e.key FROM entity e WHERE e.tenant = $1 AND e.id = ANY ($2::int[])
  UNION ALL
  SELECT t.id, e.key
  FROM unnest($2) d (id)
  CROSS JOIN LATERAL (
    SELECT d.id, idp AS other FROM alias a WHERE a.tenant = $1 AND a.local = d.id AND a.from_ix < $3::bigint
    UNION ALL SELECT d.id, local FROM alias a WHERE a.tenant = $1 AND a.idp = d.id AND a.from_ix < $3
    OFFSET 0
  ) t
  CROSS JOIN LATERAL (SELECT key FROM entity e WHERE e.tenant = $1 AND e.id = t.other LIMIT 1) e`,
};

/**
 * Finds, for each grant, the rules that would stop a token issued under it now. A revoke is not among them, because
 * what it revoked may be granted anew; neither is a rule on a type of agent, a session, an ID-JAG or a token.
 */
export async function findGrantRules(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  grants: readonly ReviewedGrant[],
  names: Names,
): Promise<readonly (readonly string[])[]> {
  const ids = [
    ...new Set(grants.flatMap(({ usr, client, res, agent }) => [usr, client, res, agent]).filter((id) => id !== null)),
  ];
  const keys = new Map<number, RuleKey[]>();
  for (const { id, key } of await snapshot.rows<KeyRow>(READ_KEYS, [ids, String(snapshot.index)]))
    keys.set(id, [...(keys.get(id) ?? []), ruleKeyFromBytes(key)]);
  return findStoppingAsOf(
    snapshot,
    tenantKey,
    grants.map((grant) => keysOf(grant, snapshot.at)),
  );

  function keysOf({ usr, client, res, agent }: ReviewedGrant, now: number): TokenKeys {
    const issuers = [...new Set([names.user(usr).iss, names.client(client).iss])];
    const sets: Partial<Record<Dimension, readonly RuleKey[]>> = {
      user: bounded(keys.get(usr)),
      client: bounded(keys.get(client)),
      agent: agent === null ? [] : bounded(keys.get(agent)),
      resource: bounded(keys.get(res)),
      issuer: issuers.map((iss) => ruleKey(tenantKey, 'issuer', [iss])),
    };
    // Takes a token granted at the end of time, after a new sign-in: only a block stops it.
    const later = now + FAR_S;
    return {
      sets: DIMENSIONS.map((dimension) => sets[dimension] ?? []),
      grantedAt: later,
      authenticatedAt: later,
      seenSeq: 2n ** 62n,
      skew: 0,
    };
  }
}

const FAR_S = 10 ** 10;
/** Names that a token may have; further ones are not looked at. */
const MAX_NAMES = 8;
const bounded = (keys: readonly RuleKey[] | undefined): readonly RuleKey[] => (keys ?? []).slice(0, MAX_NAMES);

interface KeyRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: Buffer;
}
