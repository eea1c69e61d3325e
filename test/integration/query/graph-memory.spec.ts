import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import { MAX_PAIRS } from '../../../src/query/graph/edge-memory.pg.js';
import { ACME, GLOBEX, NOW, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY } from './story.js';

/* What a process remembers of pairs changes no answer: one that remembers says what one says that has just begun. */
let api: Awaited<ReturnType<typeof startQueryApi>>;
let old: Questions;
const begin = (): Questions => createQuestions({ pool: api.pool, control: api.control, now: () => NOW });
beforeAll(async () => {
  api = await startQueryApi(STORY.slice(0, 3));
  old = begin();
});
afterAll(() => api.stop());

const head = async (): Promise<number> => Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
const QUERIES = [{}, { client_iss: IDP, client_id: 'assistant' }, { resource: CRM }, { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' }];
const ask = (questions: Questions, query: object) => questions.graph(ACME, query).catch((error: { code: string }) => error.code);

async function expectSame(): Promise<void> {
  const end = await head();
  for (const query of QUERIES) {
    for (const moment of [{}, ...[1, end >> 1, end - 1].map((index) => ({ as_of: String(index) }))]) {
      const asked = { ...query, ...moment };
      expect({ asked, answer: await ask(old, asked) }).toEqual({ asked, answer: await ask(begin(), asked) });
    }
  }
}

/** From what is remembered, from what has just been read, and by one that remembers no grants from so early on. */
async function expectSameChanges(): Promise<number> {
  const end = await head();
  const late = begin();
  await late.graph(ACME, {});
  let lines = 0;
  for (const [since, until] of [[1, end], [end >> 1, end], [1, end >> 1], [end >> 1, end - 1], [end - 1, end]]) {
    const asked = { since: String(since), ...(until === end ? {} : { until: String(until) }), limit: '100' };
    const answer = await old.changes(ACME, asked);
    expect({ asked, answer }).toEqual({ asked, answer: await begin().changes(ACME, asked) });
    expect({ asked, answer }).toEqual({ asked, answer: await late.changes(ACME, asked) });
    lines += answer.items.filter(({ kind }) => kind === 'grants-appeared' || kind === 'users-appeared').length;
  }
  return lines;
}

it('follows the ledger, and goes back in it', async () => {
  await expectSame();
  for (const batch of STORY.slice(3)) {
    await api.say(batch);
    await expectSame();
    expect(await expectSameChanges()).toBeGreaterThan(0);
  }
  // What is used where no block has ended: the memory of the same block's beginning goes on.
  await api.say([say('crm', 'access.allowed', T + 500, { token: { iss: CRM_AS, jti: 't1' }, operation: 'read', scope: 'contacts.read', status: 200 })]);
  await expectSame();
}, 120_000);

it('forgets when the tables are others', async () => {
  const before = (await old.graph(ACME, {})) as any;
  await api.pool.query(`BEGIN;
    ALTER TABLE edge_seen RENAME TO replaced; CREATE TABLE edge_seen (LIKE replaced INCLUDING ALL);
    INSERT INTO edge_seen SELECT * FROM replaced ORDER BY first_ix LIMIT 1; DROP TABLE replaced;
    COMMIT`);
  const after = (await old.graph(ACME, {})) as any;
  const connections = ({ edges }: any): number => edges.filter(({ type }: any) => type === 'connection').length;
  expect([connections(before) > 1, connections(after)]).toEqual([true, 1]);
});

it('reads what is asked for where there are more pairs than it remembers', async () => {
  const { rows } = await api.pool.query('SELECT min(id) AS client FROM entity WHERE tenant = $1 AND kind = 2', [ACME]);
  const client = rows[0].client as number;
  await api.pool.query('INSERT INTO edge_seen (tenant, client, res, first_ix) SELECT $1, -nth, 1, 1 FROM generate_series(1, $2::int) AS s (nth)', [ACME, MAX_PAIRS]);
  const narrow = (await begin().graph(ACME, { client: String(client) })) as any;
  expect(narrow).toEqual(await old.graph(ACME, { client: String(client) }));
  expect(narrow.nodes.length).toBeGreaterThan(0);
  expect(await ask(begin(), {})).toBe('filter-too-wide');
  expect(((await old.graph(GLOBEX, {})) as any).as_of).toBeDefined();
});
