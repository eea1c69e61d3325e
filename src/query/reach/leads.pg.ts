import { ruleKeyFromBytes, type RuleKey } from '../../rules/index.js';
import { createFollowed } from '../ask/followed.js';
import type { Snapshot } from '../../projections/index.js';

const NEWS = {
  name: 'rule-leads',
  text: 'SELECT lead FROM rule_version WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint LIMIT $4',
};

/** A tenant with more rules than this is not followed. */
const MAX_LEADS = 10_000;
/** Leads that a process remembers, over all tenants: about 100 bytes each. */
const MAX_REMEMBERED = 100_000;

/**
 * Reads the leads of a tenant: the first key of the selector of each rule in the snapshot, and perhaps of later rules.
 * Undefined if there are too many.
 */
export type LeadsOf = (snapshot: Snapshot) => Promise<ReadonlySet<RuleKey> | undefined>;

/** Follows the leads of each tenant. They stay valid, because a rule's selector never changes. */
export function createFollowLeads(): LeadsOf {
  const follow = createFollowed<ReadonlySet<RuleKey>>({
    none: new Set(),
    sizeOf: ({ size }) => size,
    maxSize: MAX_REMEMBERED,
    async learn(known, { rows }, from, index) {
      const news = await rows<{ lead: Buffer }>(NEWS, [from, index, MAX_LEADS + 1]);
      if (news.length === 0) return known;
      const all = new Set([...known, ...news.map(({ lead }) => ruleKeyFromBytes(lead))]);
      return news.length > MAX_LEADS || all.size > MAX_LEADS ? undefined : all;
    },
  });
  return async (snapshot) => (await follow(snapshot))?.known;
}
