import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createAsk, type AskedMoment } from '../../../src/projections/index.js';
import { createQuestions } from '../../../src/query/index.js';
import type { Selector } from '../../../src/rules/index.js';
import { createPreviewReader, findReachedTokens, indexOf, seedsOf } from '../../../src/selection/index.js';
import type { TestTemplate } from '../../support/services.js';
import { ACME, createEmptyLedger, keyOf, NOW, startQueryApi, T, writeHistory, type Said } from '../query/history.js';
import { ruleOf, stoppedOf, walkAllTokens, type Walked } from './naive-walk.js';
import { COMBINED, SINGLE, tokenHistories } from './token-histories.js';

const RUNS = Number(process.env['RUNS'] ?? 40);
const SEED = Number(process.env['SEED'] ?? 1);
const SKEW = 5;
const TENANT = { id: ACME, key: keyOf(ACME) };
const CONTROL = { tenantKey: () => TENANT.key, skew: () => SKEW };
const AUDITOR = { id: 'acme-audit', tenant: ACME, roles: { audit: {} } };
/** Refresh tokens were granted 2,000 s ago: long before, within the clocks' skew of the moment, and long after. */
const BEFORE = [NOW - 1_000, NOW - 2_003, NOW - 3_000];

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

const walk = (pool: Pool): Promise<readonly Walked[]> =>
  walkAllTokens(pool, { tenant: ACME, tenantKey: TENANT.key, now: NOW, skew: SKEW });

/** Differences between the search and the walk over one history. */
let differences: unknown[] = [];
function compare(asked: object, said: unknown, walked: unknown): void {
  if (!isDeepStrictEqual(said, walked)) differences.push({ ...asked, said, walked });
}

/** Keys of the live tokens that a rule on the selector reaches, and of all that it reaches. */
async function listed(pool: Pool, selector: Selector, asked?: AskedMoment): Promise<{ live: string[]; all: string[] }> {
  const index = indexOf(TENANT.key, [ruleOf(selector)]);
  return createAsk({ pool, now: () => NOW })(
    ACME,
    async (snapshot) => {
      const seeds = await seedsOf(snapshot, TENANT.key, [selector]);
      const select = (keys: Parameters<typeof index.isStopped>[0]) => (index.isStopped(keys, NOW) ? true : undefined);
      const found = async (onlyLive: boolean): Promise<string[]> => {
        const { tokens, atLeast } = await findReachedTokens(snapshot, CONTROL, { seeds, onlyLive, select });
        expect(atLeast).toBe(false);
        return tokens.map(({ key }) => key.toString('hex')).sort();
      };
      return { live: await found(true), all: await found(false) };
    },
    asked,
  );
}

/** Says of each selector what the search finds that the walk does not, or the reverse. */
async function compareListed(
  pool: Pool,
  walked: readonly Walked[],
  selectors: readonly Selector[],
  asked?: AskedMoment,
) {
  for (const selector of selectors) {
    const wanted = (tokens: readonly Walked[]) => stoppedOf(tokens, TENANT.key, selector, { now: NOW });
    compare({ listed: selector, as_of: asked !== undefined }, await listed(pool, selector, asked), {
      live: wanted(walked.filter(({ live }) => live)),
      all: wanted(walked),
    });
  }
}

async function comparePreviewed(pool: Pool, walked: readonly Walked[], selectors: readonly Selector[]) {
  const live = walked.filter((one) => one.live);
  const previews = createPreviewReader({ pool, now: () => NOW * 1_000, skew: () => SKEW });
  const comparePreview = async (selector: Selector, before?: number, reauthenticate = false): Promise<void> => {
    const order = { selector, reauthenticate, ...(before === undefined ? {} : { before }) };
    const { tokens } = await previews.read(TENANT, order, SKEW);
    const wanted = stoppedOf(live, TENANT.key, selector, { now: NOW, before, reauthenticate });
    compare({ previewed: order }, tokens, wanted.length);
  };
  await comparePreview({ all: true });
  for (const selector of selectors) await comparePreview(selector);
  for (const [nth, selector] of selectors.entries())
    await comparePreview(selector, BEFORE[nth % BEFORE.length], nth % 2 === 0);
}

/** The question of a type of agent and of an issuer, and its preview. */
async function compareBlast(pool: Pool, walked: readonly Walked[]) {
  const live = walked.filter((one) => one.live);
  const previews = createPreviewReader({ pool, now: () => NOW * 1_000, skew: () => SKEW });
  const questions = createQuestions({
    pool,
    control: registered.control,
    now: () => NOW,
    previewOrder: (_, { selector }) => previews.read(TENANT, { selector, reauthenticate: false }, SKEW),
  });
  for (const query of [
    { agent_type: 'coder' },
    { issuer: 'https://idp.example' },
    { resource: 'https://auth.crm.example' },
  ]) {
    const wanted = stoppedOf(live, TENANT.key, query, { now: NOW }).length;
    const answer = await questions.reach.blast(AUDITOR, query).catch((error: { code?: string }) => {
      if (error.code === 'not-found') return undefined;
      throw error;
    });
    const counted = (answer?.tokens.live ?? 0) + (answer?.tokens.stopped ?? 0);
    compare({ blast: query }, [counted, answer?.rules[0]!.preview!.tokens ?? 0], [wanted, wanted]);
  }
}

const write = async (pool: Pool, said: readonly Said[], arrivals: () => number): Promise<void> => {
  for (const one of said) await inTransaction(pool, (client) => writeHistory(client, [one], arrivals));
};

it('finds what a walk over all tokens finds, now and as of a moment, by every dimension', async () => {
  const hits = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      tokenHistories,
      fc.uniqueArray(fc.nat(COMBINED.length - 1), { minLength: 15, maxLength: 15 }),
      async ({ before, after }, combined) => {
        const selectors = [...SINGLE, ...combined.map((nth) => COMBINED[nth]!)];
        const { pool, drop } = await template.copy();
        differences = [];
        try {
          let arrivals = 0;
          const arrive = (): number => (T + arrivals++) * 1_000;
          await write(pool, before, arrive);
          const then = await walk(pool);
          const { rows } = await pool.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head');
          await write(pool, after, arrive);
          const walked = await walk(pool);
          await compareListed(pool, walked, selectors);
          await compareListed(pool, then, selectors, { index: BigInt(rows[0]!.next_ix), at: NOW });
          await comparePreviewed(pool, walked, selectors);
          await compareBlast(pool, walked);
          expect(differences).toEqual([]);
          for (const selector of selectors) {
            const name = Object.keys(selector).length > 1 ? 'combined' : Object.keys(selector)[0]!;
            const hit = stoppedOf(
              walked.filter(({ live }) => live),
              TENANT.key,
              selector,
              { now: NOW },
            ).length;
            hits.set(name, (hits.get(name) ?? 0) + hit);
          }
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
