import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { DEFAULT_TOKEN_PROFILE } from '../../../src/control/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { termsOf } from '../../../src/projections/index.js';
import { createQuestions } from '../../../src/query/index.js';
import { createRuleIndex, KEPT_S, selectorKey, type RuleIndex, type Selector } from '../../../src/rules/index.js';
import type { TestTemplate } from '../../support/services.js';
import { walkAllTokens, type Walked } from '../selection/naive-walk.js';
import { COMBINED, RAS, SINGLE, tokenHistories } from '../selection/token-histories.js';
import { ACME, createEmptyLedger, keyOf, NOW, say, startQueryApi, T, writeHistory, type Said } from './history.js';
import { sayOwn } from './own-entries.js';

/* Compares used-after-rule with a walk over all uses: each use of each token that `rules/` says a rule stops at its time. */
const RUNS = Number(process.env['RUNS'] ?? 6);
const SEED = Number(process.env['SEED'] ?? 1);
const ORDERED = NOW - 80;
const UNTIL = NOW - 40;
const LIFTED = NOW - 20;

let registered: Awaited<ReturnType<typeof startQueryApi>>;
let template: TestTemplate;
beforeAll(async () => {
  registered = await startQueryApi([]);
  template = await createEmptyLedger();
});
afterAll(async () => {
  await template.drop();
  await registered.stop();
});

interface Rule {
  readonly rule: string;
  readonly seq: number;
  readonly selector: Selector;
  readonly effect: 'block' | 'revoke';
  readonly before?: number;
  readonly until?: number;
  readonly resume?: true;
  readonly lifted: boolean;
}

const WAYS: readonly Pick<Rule, 'effect' | 'before' | 'until' | 'resume' | 'lifted'>[] = [
  { effect: 'block', lifted: false },
  { effect: 'block', lifted: true },
  { effect: 'block', until: UNTIL, lifted: false },
  { effect: 'block', until: UNTIL, resume: true, lifted: false },
  { effect: 'revoke', before: NOW - 150, lifted: false },
];

const used = fc.record({
  ras: fc.constantFrom<keyof typeof RAS>('crm', 'crm', 'wiki'),
  token: fc.nat(10),
  ago: fc.integer({ min: 1, max: 120 }),
  allowed: fc.constantFrom(true, true, true, false),
});
type Used = typeof used extends fc.Arbitrary<infer A> ? A : never;
const tellUse = ({ ras, token, ago, allowed }: Used): Said =>
  say(ras, allowed ? 'access.allowed' : 'access.denied', NOW - ago, {
    token: { iss: RAS[ras], jti: `t${token}` },
    operation: 'read',
    status: allowed ? 200 : 403,
  });

async function order(pool: Pool, { rule, seq, selector, effect, before, until, resume, lifted }: Rule): Promise<void> {
  await sayOwn(pool, ACME, 'revocation.ordered', ORDERED * 1_000, {
    rule,
    seq: String(seq),
    effect,
    selector,
    ...(before === undefined ? {} : { before }),
    ...(until === undefined ? {} : { until }),
    ...(resume === undefined ? {} : { resume }),
    reauthenticate: false,
    reason: 'compromised',
    author: { caller: 'acme-revoke' },
  });
  if (lifted)
    await sayOwn(pool, ACME, 'revocation.lifted', LIFTED * 1_000, {
      rule,
      seq: String(seq + 1_000),
      at: LIFTED,
      resume: true,
      author: { caller: 'acme-revoke' },
    });
}

interface Period {
  readonly state: 'ordered' | 'lifted';
  readonly after: number;
  readonly before: number;
  readonly index: RuleIndex;
}

function periodsOf({ rule, seq, selector, effect, before, until, resume, lifted }: Rule): Period[] {
  const indexOf = (terms: object): RuleIndex => {
    const index = createRuleIndex();
    index.add({
      ...(terms as ReturnType<typeof termsOf>),
      id: rule,
      seq: BigInt(seq),
      selector: selectorKey(keyOf(ACME), selector),
    });
    return index;
  };
  const ordered = indexOf(
    termsOf({
      seq: BigInt(seq),
      effect,
      selector,
      orderedMs: ORDERED * 1_000,
      before,
      until,
      resume: resume ?? false,
      reauthenticate: false,
      turnedMs: undefined,
    }),
  );
  const lift = lifted ? LIFTED : Infinity;
  return [
    { state: 'ordered', after: ORDERED, before: Math.min(until ?? Infinity, lift), index: ordered },
    ...(until !== undefined && !resume
      ? [{ state: 'ordered' as const, after: until - 1, before: Math.min(lift, until + KEPT_S), index: ordered }]
      : []),
    ...(lifted
      ? [
          {
            state: 'lifted' as const,
            after: LIFTED,
            before: Infinity,
            index: indexOf({ effect: 'block', before: 0, asOfOrder: false, reauthenticate: false }),
          },
        ]
      : []),
  ];
}

interface UseRow {
  readonly at: number;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number | null;
  readonly tok: string;
  readonly n: number;
}

/** Lines of a rule, each without the names of those who used, sorted. */
function walk(rule: Rule, uses: readonly UseRow[], tokens: ReadonlyMap<string, Walked>): string[] {
  const lines = new Map<string, { at: number; last: number; uses: number; tokens: Set<string> }>();
  for (const { state, after, before, index } of periodsOf(rule)) {
    for (const { at, usr, client, agent, res, tok, n } of uses) {
      const keys = tokens.get(tok)?.keys;
      if (keys === undefined || at <= after || at >= before || !index.isStopped(keys, at)) continue;
      const name = [state, usr, client, agent, res].join(' ');
      const line = lines.get(name) ?? { at, last: at, uses: 0, tokens: new Set() };
      lines.set(name, line);
      line.at = Math.min(line.at, at);
      line.last = Math.max(line.last, at);
      line.uses += n;
      line.tokens.add(tok);
    }
  }
  return [...lines]
    .map(([name, line]) => lineOf(name.split(' ')[0]!, line.at, line.last, line.uses, line.tokens.size))
    .sort();
}

const secondsOf = (time: string): number => Date.parse(time) / 1000;
const lineOf = (...parts: readonly (string | number)[]): string => parts.join(' ');

async function listed(pool: Pool): Promise<ReadonlyMap<string, string[]>> {
  const questions = createQuestions({ pool, control: registered.control, now: () => NOW });
  const lines = new Map<string, string[]>();
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await questions.changes(ACME, {
      since: '0',
      ...(cursor === undefined ? {} : { cursor }),
      kind: 'used-after-rule',
      limit: '100',
    });
    expect(page.incomplete).toBeUndefined();
    for (const item of page.items as any[])
      lines.set(
        item.rule,
        [
          ...(lines.get(item.rule) ?? []),
          lineOf(item.rule_state, secondsOf(item.at), secondsOf(item.last_at), item.uses, item.tokens),
        ].sort(),
      );
    cursor = page.next;
  }
  return lines;
}

it('lists the uses that a walk over all uses finds, by every dimension', async () => {
  const hits = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      tokenHistories,
      fc.array(used, { minLength: 15, maxLength: 40 }),
      fc.uniqueArray(fc.nat(COMBINED.length - 1), { minLength: 15, maxLength: 15 }),
      fc.nat(WAYS.length - 1),
      async ({ before, after }, uses, combined, turn) => {
        const selectors: readonly Selector[] = [{ all: true }, ...SINGLE, ...combined.map((nth) => COMBINED[nth]!)];
        const rules = selectors.map(
          (selector, nth): Rule => ({ rule: `r-${nth}`, seq: nth + 1, selector, ...WAYS[(nth + turn) % WAYS.length]! }),
        );
        const { pool, drop } = await template.copy();
        try {
          let arrivals = 0;
          const arrive = (): number => (T + arrivals++) * 1_000;
          const tell = (said: readonly Said[]) => inTransaction(pool, (client) => writeHistory(client, said, arrive));
          await tell(before);
          await tell(uses.map(tellUse));
          for (const rule of rules) await order(pool, rule);
          await tell(after);
          const walked = await walkAllTokens(pool, {
            tenant: ACME,
            tenantKey: keyOf(ACME),
            now: NOW,
            skew: DEFAULT_TOKEN_PROFILE.skew,
          });
          const tokens = new Map(walked.map((token) => [token.key, token]));
          const { rows } = await pool.query<UseRow>(
            `SELECT at::int, usr, client, agent, res, encode(tok, 'hex') AS tok, n::int FROM access WHERE tenant = $1 AND bound_ix IS NOT NULL AND outcome = 1`,
            [ACME],
          );
          const found = await listed(pool);
          const differences = rules.flatMap((rule) => {
            const [said, wanted] = [found.get(rule.rule) ?? [], walk(rule, rows, tokens)];
            const name = Object.keys(rule.selector).length > 1 ? 'combined' : Object.keys(rule.selector)[0]!;
            hits.set(name, (hits.get(name) ?? 0) + wanted.length);
            return isDeepStrictEqual(said, wanted) ? [] : [{ ...rule, said, wanted }];
          });
          expect(differences).toEqual([]);
        } finally {
          await drop();
        }
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  // Each dimension was met, or nothing was compared.
  expect([...hits].filter(([, hit]) => hit === 0)).toEqual([]);
}, 600_000);
