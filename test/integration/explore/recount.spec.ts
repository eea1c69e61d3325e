import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveNext } from '../../../src/archive/index.js';
import { createExplore, type Explore } from '../../../src/explore/index.js';
import {
  DIMENSION_NAMES,
  MEASURE_NAMES,
  type DimensionName,
  type MeasureName,
} from '../../../src/explore/question/vocabulary.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createReader } from '../../../src/query/index.js';
import { createTurns } from '../../../src/registry/index.js';
import { testLog, type TestTemplate } from '../../support/services.js';
import { histories, type SaidBatch } from '../query/as-of-histories.js';
import { ACME, createEmptyLedger, NOW, say, startQueryApi, T, writeHistory, type Said } from '../query/history.js';
import { AGENT, CRM, CRM_AS, IDP } from '../query/story.js';
import { createRecount, keyOfGroup } from './recount.js';

const RUNS = Number(process.env['RUNS'] ?? 6);
const SEED = Number(process.env['SEED'] ?? 3);
const QUESTIONS_A_MOMENT = 3;
/** Entries of a segment: few, so that short histories have several. */
const SEGMENT = 4n;

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

const asker = { tenant: ACME, id: 'acme-audit' };

const question = fc.record({
  by: fc.uniqueArray(fc.constantFrom(...DIMENSION_NAMES), { maxLength: 3 }),
  measures: fc.uniqueArray(fc.constantFrom(...MEASURE_NAMES), { minLength: 1, maxLength: 12 }),
  filtered: fc.uniqueArray(fc.constantFrom(...DIMENSION_NAMES), { maxLength: 2 }),
  how: fc.constantFrom('equals' as const, 'in' as const, 'not' as const, 'missing' as const),
  nth: fc.nat(50),
  from: fc.integer({ min: T - 10, max: T + 60_000 }),
  length: fc.integer({ min: 1, max: 200_000 }),
  compares: fc.boolean(),
  back: fc.nat(1_000),
});
type Asked = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

const used = (jti: string): Said =>
  say('crm', 'access.allowed', T + 500, {
    token: { iss: CRM_AS, jti },
    operation: 'read',
    client_address: '192.0.2.3',
    status: 200,
  });
const lateIdJag = { iss: IDP, jti: 'late', sub: 'carol', tenant: 'acme' };
/** Every history must have these: a use before its token, one whose agent becomes known later, and one of which nobody says whose it is. */
const LATE: readonly Said[] = [
  used('late'),
  used('never-issued'),
  say('crm', 'token.issued', T + 400, {
    kind: 'access',
    iss: CRM_AS,
    jti: 'late',
    client_id: 'late-at-crm',
    aud: [CRM],
    iat: T + 400,
    exp: T + 900,
    id_jag: lateIdJag,
  }),
  say('idp', 'id-jag.issued', T + 390, {
    ...lateIdJag,
    client_id: 'late-at-crm',
    idp_client_id: 'late',
    aud: [CRM_AS],
    resource: [CRM],
    iat: T + 390,
    exp: T + 690,
    agent: AGENT,
  }),
];

/** Puts what is late into a history, each in a batch of its own, in order, at any places. */
const lateHistories: fc.Arbitrary<readonly SaidBatch[]> = fc
  .tuple(histories, fc.array(fc.nat(1_000), { minLength: LATE.length, maxLength: LATE.length }))
  .map(([history, places]) => {
    const batches = [...history];
    const at = places.map((place) => place % (history.length + 1)).toSorted((one, other) => one - other);
    for (const [nth, said] of LATE.entries()) batches.splice(at[nth]! + nth, 0, { said: [said], leap: 'none' });
    return batches;
  });

it('an answer equals a naive recount, with late lineage and as of any index', async () => {
  const seen = {
    archived: 0,
    tails: 0,
    answers: 0,
    groups: 0,
    filtered: 0,
    past: 0,
    late: 0,
    agentsLate: 0,
    unattributed: 0,
    compared: 0,
  };
  await fc.assert(
    fc.asyncProperty(
      lateHistories,
      fc.array(question, { minLength: QUESTIONS_A_MOMENT * 6, maxLength: QUESTIONS_A_MOMENT * 6 }),
      async (history, questions) => {
        const { pool, drop } = await template.copy();
        const root = await mkdtemp(join(tmpdir(), 'rescind-explore-archive-'));
        const { findSource: find, sources: all, source } = createReader(registered.control);
        const explore = createExplore({
          pool,
          log: testLog(),
          turns: createTurns({ atOnce: 2 }),
          sources: { find, all },
          nameOfSource: (id) => source(id).name,
          archiveRoot: root,
          home: root,
          now: () => NOW,
        });
        try {
          let nth = 0;
          const every = Math.max(1, Math.ceil(history.length / 4));
          for (const [at, { said }] of history.entries()) {
            await inTransaction(pool, (client) => writeHistory(client, said));
            if (at % every !== every - 1 && at !== history.length - 1) continue;
            await listSomebody(pool);
            // Some ranges are archived, others lie in the tail.
            if (at % 2 === 0) while (await archiveNext({ pool, root, segmentEntries: SEGMENT })) continue;
            for (let count = 0; count < QUESTIONS_A_MOMENT; count += 1)
              await compare(explore, pool, questions[nth++ % questions.length]!, seen);
          }
          const { rows } = await pool.query(
            `SELECT count(*) FILTER (WHERE bound_ix > ix)::int AS late, count(*) FILTER (WHERE agent_ix IS NOT NULL)::int AS agents,
                    count(*) FILTER (WHERE bound_ix IS NULL)::int AS unattributed FROM access`,
          );
          seen.late += rows[0].late;
          seen.agentsLate += rows[0].agents;
          seen.unattributed += rows[0].unattributed;
        } finally {
          await explore.stop();
          await drop();
          await rm(root, { recursive: true });
        }
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  for (const [what, times] of Object.entries(seen)) expect({ what, times }).not.toEqual({ what, times: 0 });
}, 600_000);

/** Gives the users and clients that are known so far an entry in the directory. */
const listSomebody = (pool: Parameters<typeof createRecount>[0]) =>
  pool.query(
    `INSERT INTO directory (tenant, kind, key, parts, emails, tags, owner, team, updated_at, updated_by)
     SELECT tenant, kind, key, parts, '{}', '{}', 'owner ' || (id % 2), 'team ' || (id % 2), 0, 'spec' FROM entity WHERE kind IN (1, 2, 3) AND id % 3 > 0
     ON CONFLICT DO NOTHING`,
  );

async function compare(
  explore: Explore,
  pool: Parameters<typeof createRecount>[0],
  asked: Asked,
  seen: Record<'archived' | 'tails' | 'answers' | 'groups' | 'filtered' | 'past' | 'compared', number>,
): Promise<void> {
  const model = await createRecount(pool, ACME);
  const head = Number((await pool.query('SELECT next_ix FROM ledger_head')).rows[0].next_ix);
  const asOf = Math.max(1, head - (asked.back % 3 === 0 ? asked.back % head : 0));
  const window = { from: asked.from, to: asked.from + asked.length };
  const before = { from: asked.from - asked.length, to: asked.from };
  const { filter, keeps } = filterOf(asked, model, asOf);
  const body = {
    by: asked.by,
    measures: asked.measures,
    filter,
    as_of: String(asOf),
    ...window,
    ...(asked.compares ? { compare: before } : {}),
    limit: 1_000,
  };
  const answer = await explore.explore(asker, body);

  const now = model.group(model.select(asOf, window, keeps), asked.by, asOf);
  const earlier = asked.compares ? model.group(model.select(asOf, before, keeps), asked.by, asOf) : undefined;
  const values = (uses: Parameters<typeof model.measure>[1]) =>
    Object.fromEntries(asked.measures.map((name: MeasureName) => [name, model.measure(name, uses, asOf)]));
  const expected = new Map(
    [...new Set([...now.keys(), ...(earlier?.keys() ?? [])])].map((key) => [
      key,
      { values: values(now.get(key) ?? []), ...(earlier ? { before: values(earlier.get(key) ?? []) } : {}) },
    ]),
  );
  const actual = new Map(
    answer.items.map(({ group, values: own, before: past }) => [
      keyOfGroup(asked.by, group),
      { values: own, ...(past ? { before: past } : {}) },
    ]),
  );
  expect({ body, items: sorted(actual), groups: answer.groups, as_of: answer.as_of.index }).toEqual({
    body,
    items: sorted(expected),
    groups: expected.size,
    as_of: String(asOf),
  });
  seen.answers += 1;
  seen.archived += answer.read.archived;
  seen.tails += answer.read.tail;
  seen.groups += expected.size;
  seen.filtered += Object.keys(filter).length > 0 && expected.size > 0 ? 1 : 0;
  seen.past += asOf < head ? 1 : 0;
  seen.compared += asked.compares ? 1 : 0;
}

const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));

type Model = Awaited<ReturnType<typeof createRecount>>;
const ENTITIES: Partial<Record<DimensionName, Parameters<Model['idsOf']>[0]>> = {
  agent: 'agent',
  resource: 'resource',
};
const WORDS: Partial<Record<DimensionName, true>> = { scope: true, route: true, address: true };
/** Aliases make a name mean others too; `names.spec.ts` has them. */
const NOT_FILTERED: ReadonlySet<DimensionName> = new Set(['user', 'client']);

/** A filter by values that some use has, and the same as a predicate over the model's values. */
function filterOf({ filtered, how, nth }: Asked, model: Model, asOf: number) {
  const filter: Record<string, object> = {};
  const predicates: ((values: (name: DimensionName) => readonly (string | number | null)[]) => boolean)[] = [];
  for (const name of filtered) {
    if (NOT_FILTERED.has(name)) continue;
    const all = model.select(asOf, { from: 0, to: 1e11 }, () => true);
    const seen = [
      ...new Set(
        [...model.group(all, [name], asOf).keys()].map((key) => (JSON.parse(key) as (string | number | null)[])[0]),
      ),
    ];
    const known = seen
      .filter((value) => value !== null)
      .filter((value) => !(name in ENTITIES || name in WORDS) || value !== undefined);
    if (how === 'missing') {
      if (['source', 'hour', 'day'].includes(name)) continue;
      filter[name] = { missing: nth % 2 === 0 };
      predicates.push((values) => values(name).every((value) => value === null) === (nth % 2 === 0));
      continue;
    }
    if (known.length === 0) continue;
    const picked = [known[nth % known.length]!, known[(nth + 1) % known.length]!];
    const values = [...new Set(how === 'equals' ? picked.slice(0, 1) : picked)];
    filter[name] = how === 'equals' ? { equals: values[0] } : { [how]: values };
    predicates.push((of) => of(name).some((value) => value !== null && values.includes(value)) === (how !== 'not'));
  }
  return {
    filter,
    keeps: (values: Parameters<(typeof predicates)[number]>[0]) => predicates.every((one) => one(values)),
  };
}
