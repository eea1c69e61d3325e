import { DIMENSIONS, ruleKey, ruleKeyFromBytes, type Dimension, type RuleKey, type TokenKeys } from '../../rules/index.js';
import type { Names } from '../names.pg.js';
import type { Snapshot } from '../snapshot.pg.js';
import { findStoppingAsOf } from '../stopping.pg.js';

export interface ReviewedGrant {
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly agent: number | null;
}

const READ_KEYS = 'SELECT id, key FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])';
const READ_TIED = `SELECT a.local AS id, e.key FROM alias a JOIN entity e ON e.tenant = $1 AND e.id = a.idp WHERE a.tenant = $1 AND a.local = ANY ($2::int[]) AND a.from_ix < $3
  UNION ALL SELECT a.idp, e.key FROM alias a JOIN entity e ON e.tenant = $1 AND e.id = a.local WHERE a.tenant = $1 AND a.idp = ANY ($2) AND a.from_ix < $3`;

/**
 * Of each grant the rules that stand in its way: a token that were issued under it now would be stopped. What has been revoked alone may be
 * granted anew, so a revoke is none of them; neither is a rule on a type of agent, a session, an ID-JAG or a token.
 */
export async function findGrantRules(snapshot: Snapshot, tenantKey: Uint8Array, grants: readonly ReviewedGrant[], names: Names): Promise<readonly (readonly string[])[]> {
  const ids = [...new Set(grants.flatMap(({ usr, client, res, agent }) => [usr, client, res, agent]).filter((id) => id !== null))];
  const own = await snapshot.rows<KeyRow>(READ_KEYS, [ids]);
  const tied = await snapshot.rows<KeyRow>(READ_TIED, [ids, String(snapshot.index)]);
  const keys = new Map<number, RuleKey[]>();
  for (const { id, key } of [...own, ...tied]) keys.set(id, [...(keys.get(id) ?? []), ruleKeyFromBytes(key)]);
  return findStoppingAsOf(snapshot, tenantKey, grants.map((grant) => keysOf(grant, snapshot.at)));

  function keysOf({ usr, client, res, agent }: ReviewedGrant, now: number): TokenKeys {
    const issuers = [...new Set([names.user(usr).iss, names.client(client).iss])];
    const sets: Partial<Record<Dimension, readonly RuleKey[]>> = {
      user: bounded(keys.get(usr)),
      client: bounded(keys.get(client)),
      agent: agent === null ? [] : bounded(keys.get(agent)),
      resource: bounded(keys.get(res)),
      issuer: issuers.map((iss) => ruleKey(tenantKey, 'issuer', [iss])),
    };
    // Granted at the end of time, after a new sign-in: only what blocks stops it.
    const later = now + FAR_S;
    return { sets: DIMENSIONS.map((dimension) => sets[dimension] ?? []), grantedAt: later, authenticatedAt: later, seenSeq: 2n ** 62n, skew: 0 };
  }
}

const FAR_S = 10 ** 10;
/** As many names as a token may have; further ones are not looked at. */
const MAX_NAMES = 8;
const bounded = (keys: readonly RuleKey[] | undefined): readonly RuleKey[] => (keys ?? []).slice(0, MAX_NAMES);

interface KeyRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: Buffer;
}
