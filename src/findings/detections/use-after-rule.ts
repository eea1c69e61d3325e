import { loadSql } from '../../platform/postgres/index.js';
import { TURNED_MS, termsOf, turnedBelow } from '../../projections/index.js';
import {
  createRuleIndex,
  ruleKeyFromBytes,
  selectorKey,
  type Effect,
  type Selector,
  type TokenKeys,
} from '../../rules/index.js';
import { keysOf, readLineages } from '../../selection/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { lookBack, prepared } from '../fresh.js';

const SQL = prepared(
  'use-after-rule',
  loadSql(import.meta.url, 'use-after-rule.sql')
    .replace('{turned_ms}', () => TURNED_MS)
    .replace('{turned}', () => turnedBelow('$3::bigint')),
  5,
);

/** Clocks of a source that ends something and of one that serves may differ so much. Seconds. */
const GRACE_S = 5;

export const useAfterRule: Detection = {
  kind: 'use-after-rule',
  severity: 'high',
  means:
    'A resource served calls with a token that a rule had stopped: it does not ask, or keeps answers for too long.',
  next: 'Find out why the resource let the call in, stop what is still in use there, and look at what was done after the rule.',
  looks: `Allowed uses more than ${GRACE_S} s after a rule on their token began, whoever ordered it, before it was lifted; a token granted after an enabling is not stopped.`,
  stop: [
    ['user', 'client'],
    ['client', 'resource'],
  ],
  see: 'rule',
  says: ({ count, client, user, resource }) =>
    `${client} was served ${count} times at ${resource} for ${user}, after a rule had stopped it.`,
  find: findUsed,
};

interface Candidate extends Evidence {
  readonly rule: string;
  readonly nth: number;
  readonly seq: string;
  readonly selector: Selector;
  readonly effect: Effect;
  readonly ordered_ms: string;
  readonly before_at: string | null;
  readonly until_at: string | null;
  readonly resume: boolean;
  readonly reauthenticate: boolean;
  readonly turned_ms: string | null;
  readonly is_ended: boolean;
  readonly tok: string;
}

async function findUsed(step: Step): Promise<readonly Evidence[]> {
  const { snapshot, control, tenant } = step;
  const candidates = await snapshot.rows<Candidate>(SQL, [String(step.from), String(step.to), GRACE_S, lookBack(step)]);
  if (candidates.length === 0) return [];
  const tenantKey = control.tenantKey(tenant);
  const tokens = [...new Set(candidates.map(({ tok }) => tok))];
  const lineages = await readLineages(
    snapshot,
    tenantKey,
    tokens.map((token) => ruleKeyFromBytes(Buffer.from(token, 'hex'))),
  );
  const keys = new Map(tokens.map((token, nth) => [token, keysOf(control, tenantKey, lineages[nth]!)]));
  return candidates
    .filter((one) => isStopped(tenantKey, one, keys.get(one.tok)))
    .map((one) => ({
      subject: [one.rule, one.client, one.usr].join(' '),
      usr: one.usr ?? null,
      client: one.client ?? null,
      agent: one.agent ?? null,
      res: one.res ?? null,
      tok: one.tok,
      count: one.count,
      first_at: one.first_at,
      last_at: one.last_at,
      entries: one.entries,
      details: { rule: one.rule },
    }));
}

/** Says whether the rule alone stopped the token at its first use. The decision is the same for all uses of a candidate. */
function isStopped(tenantKey: Uint8Array, one: Candidate, keys: TokenKeys | undefined): boolean {
  if (keys === undefined) return false;
  const index = createRuleIndex();
  index.add({
    ...termsOf({
      seq: BigInt(one.seq),
      effect: one.effect,
      selector: one.selector,
      orderedMs: Number(one.ordered_ms),
      before: numberOf(one.before_at),
      until: numberOf(one.until_at),
      resume: one.resume,
      reauthenticate: one.reauthenticate,
      turnedMs: one.is_ended ? numberOf(one.turned_ms) : undefined,
    }),
    id: one.rule,
    seq: BigInt(one.seq),
    selector: selectorKey(tenantKey, one.selector),
  });
  return index.isStopped(keys, Number(one.first_at));
}

const numberOf = (text: string | null): number | undefined => (text === null ? undefined : Number(text));
