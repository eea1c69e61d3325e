import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import type { TestTemplate } from '../../support/services.js';
import { histories } from './as-of-histories.js';
import { ruleKey } from '../../../src/rules/index.js';
import {
  ACME,
  createEmptyLedger,
  keyOf,
  NOW,
  say,
  startQueryApi,
  T,
  tokenId,
  writeHistory,
  type Said,
} from './history.js';
import { sayOwn } from './own-entries.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI_AS } from './story.js';

const RUNS = Number(process.env['RUNS'] ?? 6);
const SEED = Number(process.env['SEED'] ?? 7);
/** Arrival of the first entry, epoch milliseconds: everything said had happened by then. */
const FIRST_ARRIVAL = (T + 110_000) * 1_000;

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

type Filters = Readonly<Record<string, string>>;
const ALICE = { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' };
const SUBJECTS: readonly Filters[] = [
  ALICE,
  { client_iss: IDP, client_id: 'assistant' },
  { client_iss: CRM_AS, client_id: 'mailer-at-crm' },
  { agent_iss: IDP, agent_id: AGENT.id },
  { resource: CRM },
  { token: tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, 't0'])) },
  { token: tokenId(ruleKey(keyOf(ACME), 'token', [WIKI_AS, 't1'])) },
];
const UNITS = { hour: 3_600, day: 86_400 } as const;

/** When much happens at few moments, so that pages end within runs and at their cuts. */
const BUSY = T + 50_000;
const TICK = 10;
const clients = ['assistant-at-crm', 'mailer-at-crm'] as const;
const happening = fc.record({
  what: fc.constantFrom('use', 'use', 'use', 'use', 'use', 'use', 'disabled', 'ordered', 'denied'),
  client: fc.constantFrom(...clients),
  allowed: fc.boolean(),
  tick: fc.nat(30),
  nth: fc.nat(1_000),
});
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never;
/** A use at a tick or in the second before; another moment in the second before, so that a run is cut at the tick. */
const timeOf = ({ what, tick, nth }: Happening): number => BUSY + tick * TICK - (what === 'use' ? nth % 2 : 1);
const TOKENS = clients.map((client_id) => ({ iss: CRM_AS, jti: `busy-${client_id}`, client_id }));
const issuedTokens = (): Said[] =>
  TOKENS.map((token, nth) =>
    say('crm', 'token.issued', BUSY - 1_000, {
      kind: 'access',
      ...token,
      sub: 'alice-local',
      aud: [CRM],
      scope: 'a',
      iat: BUSY - 1_000,
      exp: BUSY + 1_000,
      id_jag: { iss: IDP, jti: `busy-${nth}`, sub: 'alice', tenant: 'acme' },
    }),
  );
function tell(one: Happening): Said {
  const at = timeOf(one);
  if (one.what === 'disabled') return say('idp', 'user.disabled', at, { iss: IDP, tenant: 'acme', sub: 'alice' });
  const { iss, jti, client_id } = TOKENS[clients.indexOf(one.client)]!;
  if (one.what === 'denied')
    return say('crm', 'token.denied', at, {
      iss,
      id_jag: { iss: IDP, jti: `denied-${one.nth}`, sub: 'alice', tenant: 'acme' },
      client_id,
      error: 'invalid_grant',
    });
  return say('crm', one.allowed ? 'access.allowed' : 'access.denied', at, {
    token: { iss, jti },
    operation: 'read',
    status: one.allowed ? 200 : 403,
    records: one.nth,
  });
}

/** All items of all pages; undefined for a name that was not seen. */
async function itemsOf(
  question: (tenant: string, query: unknown) => Promise<{ items: readonly any[]; next?: string }>,
  query: Filters,
  limit: number,
): Promise<any[] | undefined> {
  const items: any[] = [];
  try {
    for (let cursor: Filters = {}; ; ) {
      const page = await question(ACME, { ...query, limit: String(limit), ...cursor });
      items.push(...page.items);
      if (page.next === undefined) return items;
      cursor = { cursor: page.next };
    }
  } catch (error) {
    if ((error as { code?: string }).code === 'not-found') return undefined;
    throw error;
  }
}

const epoch = (time: number | string): number => (typeof time === 'number' ? time : Date.parse(time) / 1_000);

/** Folds single accesses: what a run is, said once more. A use in the second of a cut lies before it. */
function fold(accesses: readonly any[], cuts: readonly number[], unit: number): string[] {
  const runs = new Map<string, any>();
  for (const use of accesses) {
    const at = epoch(use.at);
    const key = JSON.stringify([
      Math.floor(at / unit),
      cuts.filter((cut) => cut < at).length,
      use.client?.entity,
      use.resource?.entity,
      use.outcome,
    ]);
    const run = runs.get(key) ?? { accesses: 0, records: 0, bytes: 0, ats: [], lasts: [], operations: {} };
    run.accesses += use.count;
    run.records += use.records ?? 0;
    run.bytes += use.bytes ?? 0;
    run.ats.push(at);
    run.lasts.push(epoch(use.until ?? use.at));
    run.operations[use.operation] = (run.operations[use.operation] ?? 0) + use.count;
    run.who = [use.client?.client_id, use.resource?.uri, use.outcome];
    runs.set(key, run);
  }
  return [...runs.values()]
    .map(({ ats, lasts, ...run }) =>
      text({ ...run, at: Math.max(...ats), first: Math.min(...ats), last: Math.max(...lasts) }),
    )
    .sort();
}
const text = ({ who, accesses, records, bytes, at, first, last, operations }: any): string =>
  JSON.stringify([
    who,
    accesses,
    records,
    bytes,
    at,
    first,
    last,
    ['read', 'write', 'delete', 'export', 'admin'].map((name) => operations[name] ?? 0),
  ]);
const textOfLine = (line: any): string =>
  text({
    ...line,
    at: epoch(line.at),
    first: epoch(line.first),
    last: epoch(line.last),
    who: [line.client?.client_id, line.resource?.uri, line.outcome],
  });

interface Asked {
  readonly subject: Filters;
  readonly by: 'hour' | 'day';
  readonly asOf: bigint;
  readonly limit: number;
  /** The end of the window, epoch seconds. */
  readonly to: number | undefined;
}

async function check(questions: Questions, { subject, by, asOf, limit, to }: Asked) {
  const query = { ...subject, as_of: String(asOf), ...(to === undefined ? {} : { to: String(to) }) };
  const lines = await itemsOf(questions.timeline, { ...query, by }, 100);
  if (lines === undefined) return undefined;
  const ats = lines.map(({ at }) => epoch(at));
  expect(ats).toEqual(ats.toSorted((one, other) => other - one));
  expect(await itemsOf(questions.timeline, { ...query, by }, limit)).toEqual(lines);
  const uses = lines.filter(({ kind }) => kind === 'use');
  expect(await itemsOf(questions.timeline, { ...query, by, kind: 'use' }, limit)).toEqual(uses);

  const cuts = lines.filter(({ kind }) => ['rule', 'account', 'connection'].includes(kind)).map(({ at }) => epoch(at));
  const accesses = await itemsOf(questions.access, { ...query, from: String(T - 1) }, 100);
  // Uses of a token count before anybody says whose it is.
  const folded = accesses!.filter(({ attributed }) => attributed || subject['token'] !== undefined);
  expect(uses.map(textOfLine).sort()).toEqual(fold(folded, [...new Set(cuts)], UNITS[by]));

  // Counts are of whole hours.
  if (to !== undefined) return { uses: uses.length, cuts: cuts.length };
  const hour = T - (T % 3_600);
  const { total } = await questions.accessCounts(ACME, { ...query, from: String(hour), to: String(hour + 40 * 3_600) });
  const sum = (outcome: string) =>
    uses.filter((use) => use.outcome === outcome).reduce((n, { accesses: count }) => n + count, 0);
  expect([sum('allowed'), sum('denied')]).toEqual([total.allowed, total.denied]);
  return { uses: uses.length, cuts: cuts.length };
}

it('a timeline has every attributed use once, folded as said, in pages of any size, as of any index', async () => {
  const seen = { uses: 0, cuts: 0, moments: 0 };
  const moments = fc.array(
    fc.record({
      subject: fc.constantFrom(...SUBJECTS),
      by: fc.constantFrom('hour' as const, 'day' as const),
      at: fc.nat(1_000),
      limit: fc.integer({ min: 1, max: 7 }),
      to: fc.option(fc.integer({ min: BUSY, max: BUSY + 30 * TICK }), { nil: undefined }),
    }),
    { minLength: 12, maxLength: 12 },
  );
  const rules = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 8, maxLength: 12 });
  const busy = fc.array(happening, { minLength: 40, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(histories, rules, busy, moments, async (history, random, happenings, asked) => {
      const { pool, drop } = await template.copy();
      try {
        let arrivals = 0;
        const uses = happenings.filter(({ what }) => what !== 'ordered').map(tell);
        for (const { said } of [...history, { said: issuedTokens() }, { said: uses }])
          await inTransaction(pool, (client) => writeHistory(client, said, () => FIRST_ARRIVAL + arrivals++ * 1_000));
        const ordered = [
          ...random.map((after) => (T + after) * 1_000 + (after % 1_000)),
          ...happenings.filter(({ what }) => what === 'ordered').map((one) => timeOf(one) * 1_000 + one.nth),
        ];
        for (const [nth, atMs] of ordered.entries())
          await sayOwn(pool, ACME, 'revocation.ordered', atMs, {
            rule: `r${nth}`,
            seq: String(nth + 1),
            effect: 'block',
            selector: nth % 2 === 0 ? { user: { iss: IDP, tenant: 'acme', sub: 'alice' } } : { resource: CRM },
            reauthenticate: false,
            reason: 'random',
            author: { caller: 'acme-revoke' },
          });
        await pool.query('UPDATE entry SET arrival = $2 WHERE tenant = $1 AND arrival > $2', [
          ACME,
          FIRST_ARRIVAL + arrivals * 1_000,
        ]);
        const questions = createQuestions({ pool, control: registered.control, now: () => NOW });
        const { rows } = await pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME]);
        const head = BigInt(rows[0].next_ix);
        for (const { at, ...one } of asked) {
          const asOf = at % 3 === 0 ? head : (BigInt(at) % head) + 1n;
          const found = await check(questions, { ...one, asOf });
          if (found === undefined) continue;
          seen.moments += 1;
          seen.uses += found.uses;
          seen.cuts += found.cuts;
        }
      } finally {
        await drop();
      }
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 10]).toEqual([what, true]);
}, 400_000);
