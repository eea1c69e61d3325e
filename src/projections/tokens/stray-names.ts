import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import {
  DIMENSIONS,
  ruleKey,
  tokenKeys,
  userParts,
  type Dimension,
  type Parts,
  type RuleKey,
} from '../../rules/index.js';

/**
 * Returns the keys of names that a token's own facts state and that no column, alias or index leads from to the token:
 * names that it states beside others of the same kind. `selection` finds the token by them.
 */
export function strayNamesOf(tenantKey: Uint8Array, facts: TokenIssued): readonly RuleKey[] {
  return namesBeside(facts).map(([dimension, parts]) => ruleKey(tenantKey, dimension, parts));
}

function namesBeside({ iss, tenant, sub, client_id: clientId, agent, id_jag: stated }: TokenIssued) {
  const names: (readonly [Dimension, Parts])[] = [];
  if (stated === undefined) return names;
  const { aud_tenant: localTenant, aud_sub: localSub } = stated;
  // An alias ties the RAS's name to the IdP's if the token states both.
  const isTied = sub !== undefined && stated.sub !== undefined;
  if (sub !== undefined && !isTied) names.push(['user', userParts({ iss, tenant, sub })]);
  if (localSub !== undefined && !(isTied && localSub === sub && localTenant === tenant))
    names.push(['user', userParts({ iss, tenant: localTenant, sub: localSub })]);
  if (stated.client_id !== undefined && stated.client_id !== clientId) names.push(['client', [iss, stated.client_id]]);
  // The agent of the ID-JAG is in the column. An agent is found by its id, whoever issued it.
  if (agent?.id !== undefined && stated.agent !== undefined && stated.agent.id !== agent.id)
    names.push(['agent', [iss, agent.id]], ['agent', [stated.iss, agent.id]]);
  // The token names its ID-JAG by one of both.
  if (stated.jti !== undefined && stated.sha256 !== undefined) names.push(['id_jag', [stated.sha256]]);
  return names;
}

/** Dimensions whose values a column of `token` holds: a token whose ID-JAG says otherwise is found by none of them. */
const IN_COLUMNS: readonly Dimension[] = ['user', 'client', 'agent', 'resource'];

/** Returns the keys of all names of an ID-JAG that a column of its token should lead from. */
export function namesOfIdJag(tenantKey: Uint8Array, facts: IdJagIssued): readonly RuleKey[] {
  // A token with more values than a token may have is never active, and no rule needs to find it.
  const keys = tokenKeys(tenantKey, { tokens: [], idJags: [facts], seenSeq: undefined, skew: 0 });
  return keys === undefined ? [] : IN_COLUMNS.flatMap((dimension) => keys.sets[DIMENSIONS.indexOf(dimension)]!);
}
