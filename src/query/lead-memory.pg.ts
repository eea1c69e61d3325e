import { LRUCache } from 'lru-cache';
import { ruleKeyFromBytes, type RuleKey } from '../rules/index.js';
import type { Snapshot } from './ask/snapshot.pg.js';

const NEWS = {
  name: 'rule-leads',
  text: 'SELECT from_ix, lead FROM rule_version WHERE tenant = $1 AND from_ix >= $2::bigint ORDER BY from_ix LIMIT $3',
};

/** A tenant with more rules than this gets no remembered leads. */
const MAX_LEADS = 10_000;
const MAX_TENANTS = 20;

/**
 * Reads the leads of a tenant: the first key of the selector of each rule in the snapshot, and perhaps of later rules.
 * Undefined if there are too many.
 */
export type LeadsOf = (snapshot: Snapshot) => Promise<ReadonlySet<RuleKey> | undefined>;

interface Known {
  readonly leads: Set<RuleKey>;
  /** Every rule with a lower index is in `leads`: a snapshot that contains an index contains all lower ones. */
  below: bigint;
}

/**
 * Remembers the leads per tenant and reads only new rules. Leads stay valid, because a rule's selector never changes.
 */
export function createLeadMemory(): LeadsOf {
  const remembered = new LRUCache<string, Known>({ max: MAX_TENANTS });
  return async (snapshot) => {
    const key = `${snapshot.tenant} ${snapshot.tables}`;
    const known = remembered.get(key) ?? { leads: new Set(), below: 0n };
    remembered.set(key, known);
    if (known.leads.size > MAX_LEADS) return undefined;
    const news = await snapshot.rows<{ from_ix: string; lead: Buffer }>(NEWS, [String(known.below), MAX_LEADS + 1]);
    for (const { lead } of news) known.leads.add(ruleKeyFromBytes(lead));
    const last = news.at(-1);
    // A rule has several rows of one index. If the page was cut, the last index may have more rows, so the next page
    // starts at that index again.
    const isWhole = news.length <= MAX_LEADS;
    if (last && BigInt(last.from_ix) >= known.below) known.below = BigInt(last.from_ix) + (isWhole ? 1n : 0n);
    return news.length > MAX_LEADS || known.leads.size > MAX_LEADS ? undefined : known.leads;
  };
}
