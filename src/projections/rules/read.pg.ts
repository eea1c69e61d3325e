import type { QueryResultRow } from 'pg';
import type { RevocationLifted, RevocationOrdered } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { lastKnownUse, KEPT_S, reviewFrom, type Selector, type Terms } from '../../rules/index.js';
import { lastUsesOf } from './last-uses.pg.js';
import { termsOf } from './terms.js';
import { TURNED_MS, turnedBelow } from './turned.js';

const RULES_AS_OF = {
  name: 'rules-as-of',
  text: loadSql(import.meta.url, 'rules-as-of.sql')
    .replace('{turned_ms}', () => TURNED_MS)
    .replace('{turned}', () => turnedBelow('$2')),
};

/** The most rules that one read returns; the oldest are left out. */
export const MAX_RULES_READ = 10_000;

/** A rule as the entries below an index show it. A rule with several selectors has one version for each. */
export interface RuleVersion {
  readonly rule: string;
  /** Index of its `revocation.ordered`. */
  readonly ix: bigint;
  /** Arrival of that entry, and the time when the order was committed: epoch milliseconds. */
  readonly arrivalMs: number;
  readonly orderedMs: number;
  /** When the rule begins to count, epoch milliseconds: the time of the event that ordered it, else of the order. */
  readonly sinceMs: number;
  readonly selector: Selector;
  /** The terms as nodes hold them: a block that an enabling of its source ended is a `revoke` here. */
  readonly terms: Terms;
  /** The effect as it was ordered. */
  readonly effect: RevocationOrdered['effect'];
  readonly reason: string;
  readonly author: RevocationOrdered['author'];
  readonly cause: RevocationOrdered['cause'];
  readonly afterLiftOf: string | undefined;
  /** Set for a block that an enabling of its source ended: the entry of the enabling, and the moment of the resulting `revoke` (epoch milliseconds). */
  readonly turned: { readonly ix: bigint; readonly atMs: number } | undefined;
  /** Set for a lifted rule. Lifted rules are returned only if they are asked for by id, or if an enabling had ended the block before. */
  readonly lift: (Omit<RevocationLifted, 'rule'> & { readonly ix: bigint }) | undefined;
}

/** Runs a statement whose `$1` is the tenant. All statements read one snapshot. */
export type TenantRows = <R extends QueryResultRow>(
  sql: string | { readonly name: string; readonly text: string },
  values?: readonly unknown[],
) => Promise<R[]>;

/** Chooses rules by the first key of their selector (`leads`), by any key (`keys`), or by id. A rule on everything has no key: ask for the lead {@link LEAD_OF_ALL}. */
export type WhichRules = { readonly leads: KeyArray } | { readonly keys: KeyArray } | { readonly rule: string } | 'all';

/** A list of keys, or the result of `byteaArray` for one. */
type KeyArray = readonly Buffer[] | Buffer;

export const LEAD_OF_ALL = Buffer.alloc(0);

/**
 * Finds the rules that are in force at `at` (epoch seconds) by the entries below `index`, newest first, with the selectors of each
 * in their order. Left out are rules that were lifted, ended with `resume`, or dropped by the nodes because nothing was recorded
 * with the revoked token, ID-JAG or session any more. A rule looked up by id is returned in every case.
 */
export async function rulesAsOf(
  rows: TenantRows,
  { index, at }: { readonly index: bigint; readonly at: number },
  which: WhichRules,
): Promise<readonly RuleVersion[]> {
  const found = await rows<RuleRow>(RULES_AS_OF, [
    String(index),
    at,
    typeof which === 'object' && 'leads' in which ? which.leads : null,
    typeof which === 'object' && 'keys' in which ? which.keys : null,
    typeof which === 'object' && 'rule' in which ? which.rule : null,
    MAX_RULES_READ,
  ]);
  const versions = found.map(
    (row): RuleVersion => ({
      rule: row.rule,
      ix: BigInt(row.from_ix),
      arrivalMs: Number(row.arrival_ms),
      orderedMs: Number(row.ordered_ms),
      sinceMs: Number(row.event_ms ?? row.ordered_ms),
      selector: row.selector,
      terms: termsOf({
        seq: BigInt(row.seq),
        effect: row.effect,
        selector: row.selector,
        orderedMs: Number(row.ordered_ms),
        before: numberOf(row.before_at),
        until: numberOf(row.until_at),
        resume: row.resume,
        reauthenticate: row.reauthenticate,
        turnedMs: numberOf(row.turned_ms),
      }),
      effect: row.effect,
      reason: row.reason,
      author: row.author,
      cause: row.cause ?? undefined,
      turned: row.turned_ix === null ? undefined : { ix: BigInt(row.turned_ix), atMs: Number(row.turned_ms) },
      afterLiftOf: row.after_lift_of ?? undefined,
      lift: row.lift === null ? undefined : { ...row.lift, ix: BigInt(row.lifted_ix!) },
    }),
  );
  const due =
    typeof which === 'object' && 'rule' in which
      ? []
      : versions.filter(({ terms }) => at >= (reviewFrom(terms) ?? Infinity));
  if (due.length === 0) return versions;
  const lastUses = await lastUsesOf(
    rows,
    due.map(({ rule, terms }) => ({ rule, lastUse: lastKnownUse(terms)! })),
    index,
  );
  return versions.filter(({ rule }) => at < (lastUses.get(rule) ?? Infinity) + KEPT_S);
}

interface RuleRow extends QueryResultRow {
  readonly rule: string;
  readonly from_ix: string;
  readonly arrival_ms: string;
  readonly seq: string;
  readonly ordered_ms: string;
  readonly effect: RevocationOrdered['effect'];
  readonly selector: Selector;
  readonly before_at: string | null;
  readonly until_at: string | null;
  readonly resume: boolean;
  readonly reauthenticate: boolean;
  readonly reason: string;
  readonly author: RevocationOrdered['author'];
  readonly cause: RevocationOrdered['cause'] | null;
  readonly after_lift_of: string | null;
  readonly lifted_ix: string | null;
  readonly lift: Omit<RevocationLifted, 'rule'> | null;
  readonly event_ms: string | null;
  readonly turned_ix: string | null;
  readonly turned_ms: string | null;
}

const numberOf = (text: string | null): number | undefined => (text === null ? undefined : Number(text));
