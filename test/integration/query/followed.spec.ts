import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import { createAsk } from '../../../src/projections/index.js';
import { createFollowEdges, MAX_PAIRS } from '../../../src/query/graph/edges.pg.js';
import { NO_EDGES } from '../../../src/query/graph/known-edges.js';
import { ACME, GLOBEX, NOW, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY } from './story.js';

/* A process that has followed the ledger answers as one that has just started. */
let api: Awaited<ReturnType<typeof startQueryApi>>;
let old: Questions;
const begin = (): Questions => createQuestions({ pool: api.pool, control: api.control, now: () => NOW });
beforeAll(async () => {
  api = await startQueryApi(STORY.slice(0, 3));
  old = begin();
});
afterAll(() => api.stop());

const head = async (): Promise<number> =>
  Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
const QUERIES = [
  {},
  { client_iss: IDP, client_id: 'assistant' },
  { resource: CRM },
  { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' },
];
const orCode = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: { code: string }) => error.code);
const ask = (questions: Questions, query: object) => orCode(questions.graph(ACME, query));

/** Asks all at once, about now and about the past, so that questions meet in what they follow. */
async function expectSame(): Promise<void> {
  const end = await head();
  const { rows } = await api.pool.query('SELECT ix FROM entry WHERE tenant = $1 ORDER BY ix', [ACME]);
  const middle = Number(rows[rows.length >> 1].ix);
  const graphs = QUERIES.flatMap((query) =>
    [{}, ...[1, middle, end - 1].map((index) => ({ as_of: String(index) }))].map((moment) => ({
      ...query,
      ...moment,
    })),
  );
  await Promise.all([
    ...graphs.map(async (asked) =>
      expect({ asked, answer: await ask(old, asked) }).toEqual({ asked, answer: await ask(begin(), asked) }),
    ),
    ...[1, middle, end - 1].map(async (since) => {
      const asked = { since: String(since), limit: '100' };
      expect(await old.changes(ACME, asked)).toEqual(await begin().changes(ACME, asked));
    }),
  ]);
  expect(await old.graph(GLOBEX, {})).toEqual(await begin().graph(GLOBEX, {}));
}

it('follows the ledger, and goes back in it', async () => {
  await expectSame();
  for (const batch of STORY.slice(3)) {
    await api.say(batch);
    await expectSame();
  }
  // A use and no end of a block: the closed blocks are the same.
  await api.say([
    say('crm', 'access.allowed', T + 500, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      scope: 'contacts.read',
      status: 200,
    }),
  ]);
  await expectSame();
}, 120_000);

const idJag = (jti: string, sub: string) =>
  say('idp', 'id-jag.issued', T + 600, {
    iss: IDP,
    jti,
    sub,
    tenant: 'acme',
    client_id: 'assistant-at-crm',
    idp_client_id: 'assistant',
    aud: [CRM_AS],
    resource: [CRM],
    scope: `scope.of.${sub}`,
    iat: T,
    exp: T + 300,
  });

it('counts what came between near and between distant moments alike', async () => {
  const grants = async () => {
    const { items } = await old.changes(ACME, { since: '1', kind: 'grants-appeared', limit: '100' });
    return items.reduce((sum, item) => sum + Number('grants' in item ? item.grants : 0), 0);
  };
  const before = await grants();
  expect(before).toBeGreaterThan(0);
  // One block ends, and others are skipped.
  await api.pool.query('UPDATE ledger_head SET next_ix = next_ix + 1000000 WHERE tenant = $1', [ACME]);
  await api.say(['far-1', 'far-2', 'far-3'].map((sub) => idJag(sub, sub)));
  expect(await grants()).toBe(before + 3);
  await expectSame();
}, 60_000);

it('a snapshot older than what is followed learns nothing, and a newer one all of it', async () => {
  const reading = createAsk({ pool: api.pool, now: () => NOW });
  const follow = createFollowEdges();
  const fresh = createFollowEdges();
  await reading(ACME, async (older) => {
    await api.say([idJag('older', 'older')]);
    const newest = await reading(ACME, async (newer) => ({
      followed: await follow(newer),
      index: Number(newer.index),
    }));
    expect(await follow(older)).toBe(newest.followed);
    expect(newest.followed!.upTo).toBe(newest.index);
    // A question whose snapshot is older reads what it lacks, and the next one goes on from there.
    expect((await fresh(older))!.upTo).toBe(Number(older.index));
  });
  await reading(ACME, async (latest) => {
    expect((await fresh(latest))!.known).toEqual((await createFollowEdges()(latest))!.known);
  });
});

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
  await api.pool.query(
    'INSERT INTO edge_seen (tenant, client, res, first_ix) SELECT $1, -nth, 1, 1 FROM generate_series(1, $2::int) AS s (nth)',
    [ACME, MAX_PAIRS],
  );
  const narrow = (await begin().graph(ACME, { client: String(client) })) as any;
  expect(narrow).toEqual(await old.graph(ACME, { client: String(client) }));
  expect(narrow.nodes.length).toBeGreaterThan(0);
  expect(await ask(begin(), {})).toBe('filter-too-wide');
  expect((await begin().changes(ACME, { since: '1', kind: 'grants-appeared' })).items.length).toBeGreaterThan(0);
  expect(((await old.graph(GLOBEX, {})) as any).as_of).toBeDefined();
  expect(NO_EDGES.edges.size).toBe(0);
});
