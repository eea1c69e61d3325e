import { RescindError } from '../../contracts/index.js';
import { inTransaction, loadSql, type Pool } from '../../platform/postgres/index.js';
import type { Findings } from '../ask/findings.pg.js';
import type { Kind } from '../detection.js';
import type { Action, Cap } from '../actions/action-input.js';
import { tellOfChange } from '../news/tell.pg.js';
import type { What } from '../news/news.pg.js';
import { decideByHits, decideWithoutHits, type Decision, type Hits, type Outcome } from '../actions/decide.js';

const CANDIDATES = loadSql(import.meta.url, 'candidates.sql');
const CLAIM = loadSql(import.meta.url, 'claim.sql');
const LOCK_DETECTION = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 7429))';
/** Finds decided rules that are not known to be in force, and whether their detection may still order them. */
const UNFINISHED = `SELECT a.finding, a.kind, a.selector, a.rule,
       n.nth = a.nth AND n.said ->> 'action' = 'block' AND n.entry IS NOT NULL AS allowed
  FROM finding_action a
  CROSS JOIN LATERAL (SELECT nth, said, entry FROM detection_change WHERE tenant = $1 AND kind = a.kind ORDER BY nth DESC LIMIT 1) n
  WHERE a.tenant = $1 AND a.outcome IN ('ordering', 'unconfirmed') ORDER BY a.at_ms`;
/** Ends what is unfinished, unless another process has. */
const FINISH = `WITH before AS (
    SELECT outcome FROM finding_action WHERE tenant = $1 AND finding = $2 AND outcome IN ('ordering', 'unconfirmed') FOR UPDATE
  )
  UPDATE finding_action a SET outcome = $3, why = $4, rule = $5 FROM before WHERE a.tenant = $1 AND a.finding = $2
  RETURNING before.outcome AS before`;
/** The news that an outcome of the action \`block\` is. */
const NEWS: Partial<Readonly<Record<Outcome, What>>> = {
  unconfirmed: 'rule-ordered',
  ordered: 'rule-ordered',
  'over-cap': 'rule-held-back',
  'too-many': 'rule-held-back',
  refused: 'rule-held-back',
};

const HOUR_MS = 3_600_000;
/** Findings that one pass decides about in a tenant. */
const AT_ONCE = 20;

/** The detection that acts, in a tenant. */
export interface Detecting {
  readonly tenant: string;
  readonly kind: Kind;
}

/** Orders rules as a person with the right for the whole tenant does, without `all` and without a confirmation. */
export interface Orders {
  /** Counts what the rule would hit. */
  foresee(by: Detecting, selector: object): Promise<Hits>;
  /** Orders the rule of a finding, once for ever. Resolves to its id when it is in force; rejects with `not-confirmed` and its id if it is stored. */
  order(by: Detecting, selector: object, finding: string): Promise<string>;
  /** Whether the rule of a finding was stored. */
  isOrdered(by: Detecting, finding: string): Promise<boolean>;
}

export interface ActOptions {
  readonly pool: Pool;
  readonly findings: Pick<Findings, 'one'>;
  readonly orders: Orders;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
  /** Called with what became of a finding. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

interface Candidate {
  readonly finding: string;
  readonly kind: Kind;
  readonly nth: number;
  readonly action: Exclude<Action, 'off'>;
  readonly cap: Cap;
}

interface Unfinished {
  readonly finding: string;
  readonly kind: Kind;
  readonly selector: object;
  readonly rule: string | null;
  readonly allowed: boolean;
}

/**
 * Acts on new findings of a tenant, as its administrators have set it. What is decided is written before a rule is ordered, and the rule is ordered under the
 * finding's id: whatever dies meanwhile, and however many processes act, a finding gets one rule at most.
 */
export async function actOnce(options: ActOptions, tenant: string): Promise<void> {
  const { pool } = options;
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<void> => work.catch((error: unknown) => void failures.push(error));
  for (const unfinished of (await pool.query<Unfinished>(UNFINISHED, [tenant])).rows)
    await attempt(finish(options, tenant, unfinished));
  for (const candidate of (await pool.query<Candidate>(CANDIDATES, [tenant, AT_ONCE])).rows)
    await attempt(decide(options, tenant, candidate));
  if (failures.length > 0) throw failures[0];
}

async function decide(options: ActOptions, tenant: string, candidate: Candidate): Promise<void> {
  const { finding, kind, action, cap } = candidate;
  const item = await options.findings.one(tenant, finding, {});
  const by = { tenant, kind };
  const decision =
    decideWithoutHits(item) ??
    decideByHits(action, cap, item.stop!.selector, await options.orders.foresee(by, item.stop!.selector));
  const outcome = await claim(options, tenant, candidate, decision);
  if (outcome === undefined) return;
  if (outcome === 'ordering')
    await finish(options, tenant, { finding, kind, selector: decision.selector!, rule: null, allowed: true });
  else options.onOutcome?.(outcome);
}

/** Writes the decision; undefined if it counts no more. */
function claim(
  { pool, now = Date.now }: ActOptions,
  tenant: string,
  { finding, kind, nth, action, cap }: Candidate,
  { outcome, why, selector, hits }: Decision,
): Promise<Outcome | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query(LOCK_DETECTION, [`${tenant} ${kind}`]);
    const { rows } = await client.query<{ outcome: Outcome }>(CLAIM, [
      tenant,
      finding,
      kind,
      nth,
      outcome,
      why ?? null,
      selector === undefined ? null : JSON.stringify(selector),
      hits === undefined ? null : JSON.stringify(hits),
      now(),
      now() - HOUR_MS,
      cap.per_hour,
    ]);
    const claimed = rows[0]?.outcome;
    const what = claimed && NEWS[claimed];
    if (what !== undefined && action === 'block') await tellOfChange(client, { tenant, finding, nowMs: now(), what });
    return claimed;
  });
}

/** Orders a decided rule, or waits for it again. A rule that its detection may no longer order is not ordered, unless it is stored already. */
async function finish(options: ActOptions, tenant: string, unfinished: Unfinished): Promise<void> {
  const { pool, orders, onOutcome, now = Date.now } = options;
  const { finding, kind, selector, rule, allowed } = unfinished;
  const by = { tenant, kind };
  const end = async (outcome: Outcome, why: string | null, ordered: string | null): Promise<void> => {
    const isEnded = await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ before: Outcome }>(FINISH, [tenant, finding, outcome, why, ordered]);
      const what = NEWS[outcome];
      if (what !== undefined && rows[0]?.before === 'ordering')
        await tellOfChange(client, { tenant, finding, nowMs: now(), what });
      return rows.length > 0;
    });
    if (isEnded) onOutcome?.(outcome);
  };
  if (!allowed && rule === null && !(await orders.isOrdered(by, finding)))
    return end('withdrawn', 'its action was changed before the rule was stored', null);
  try {
    await end('ordered', null, await orders.order(by, selector, finding));
  } catch (error) {
    if (!(error instanceof RescindError)) throw error;
    const stored = error.code === 'not-confirmed' ? error.extensions?.['id'] : undefined;
    if (typeof stored === 'string') {
      if (rule === null) await end('unconfirmed', null, stored);
    } else if (error.retryable) throw error;
    else await end('refused', `the order was refused, ${error.code}`, null);
  }
}
