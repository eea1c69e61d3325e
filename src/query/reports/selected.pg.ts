import { RescindError } from '../../contracts/index.js';
import type { RuleVersion } from '../../projections/index.js';
import {
  createRuleIndex,
  ruleKey,
  ruleKeyToBytes,
  selectorKey,
  tokenParts,
  userParts,
  type Selector,
  type TokenKeys,
  type TokenRef,
} from '../../rules/index.js';
import type { AskedStart } from '../reach/parameters.js';
import { findStart, NO_SEEDS, type Seeds } from '../reach/start.pg.js';
import type { Snapshot } from '../ask/snapshot.pg.js';

/** Finds all clients with tokens: where the search begins for a rule that names neither a person nor an application. */
const CLIENTS = `SELECT c.id FROM entity c WHERE c.tenant = $1 AND c.kind = 2 AND c.from_ix < $2
  AND EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id) ORDER BY c.id`;

/** Finds the seeds of a rule's tokens, for each selector by the member that leaves the fewest. */
export async function seedsOf(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  selectors: readonly Selector[],
): Promise<Seeds> {
  // Selectors of one rule differ in few members, so that most begin from the same name.
  const starts = new Map(selectors.map((selector) => [JSON.stringify(startOf(selector) ?? null), startOf(selector)]));
  const found = await Promise.all([...starts.values()].map((start) => seedsFrom(snapshot, tenantKey, start)));
  const all = <T>(of: (seeds: Seeds) => readonly T[]): readonly T[] => [...new Set(found.flatMap(of))];
  return {
    users: all(({ users }) => users),
    clients: all(({ clients }) => clients),
    agents: all(({ agents }) => agents),
    ofResource: found.some(({ ofResource }) => ofResource),
    tokens: all(({ tokens }) => tokens),
    idJags: all(({ idJags }) => idJags),
  };
}

type Start = AskedStart | { readonly kind: 'named-token'; readonly ref: TokenRef };

function startOf({ token, id_jag: idJag, session, user, agent, client, resource }: Selector): Start | undefined {
  if (token) return { kind: 'named-token', ref: token };
  return idJag
    ? { kind: 'id_jag', name: idJag }
    : session
      ? { kind: 'session', ...session }
      : user
        ? { kind: 'user', ref: { parts: userParts(user) } }
        : agent
          ? { kind: 'agent', ref: { parts: [agent.iss, agent.id] } }
          : client
            ? { kind: 'client', ref: { parts: [client.iss, client.client_id] } }
            : resource === undefined
              ? undefined
              : { kind: 'resource', ref: { parts: [resource] } };
}

async function seedsFrom(snapshot: Snapshot, tenantKey: Uint8Array, asked: Start | undefined): Promise<Seeds> {
  if (asked?.kind === 'named-token')
    return { ...NO_SEEDS, tokens: [ruleKeyToBytes(ruleKey(tenantKey, 'token', tokenParts(asked.ref)))] };
  if (!asked) {
    const rows = await snapshot.rows<{ id: number }>(CLIENTS, [String(snapshot.index)]);
    return { ...NO_SEEDS, clients: rows.map(({ id }) => id) };
  }
  try {
    return (await findStart(snapshot, tenantKey, asked)).seeds;
  } catch (error) {
    // A rule may name something that was never seen.
    if (error instanceof RescindError && error.code === 'not-found') return NO_SEEDS;
    throw error;
  }
}

/**
 * Returns a function that says whether a rule as it was ordered stops a token at a time. `rows` are all selectors of
 * the rule.
 */
export function stoppedBy(
  tenantKey: Uint8Array,
  rows: readonly RuleVersion[],
): (keys: TokenKeys, now: number) => boolean {
  const index = createRuleIndex();
  for (const { rule, selector, terms } of rows)
    index.add({ ...terms, id: rule, seq: BigInt(terms.seq), selector: selectorKey(tenantKey, selector) });
  return (keys, now) => index.isStopped(keys, now);
}
