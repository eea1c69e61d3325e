import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import { createVersionMemory } from '../../../src/query/changes/version-memory.pg.js';
import { createEdgeMemory, MAX_PAIRS } from '../../../src/query/graph/edge-memory.pg.js';
import { rememberGrants } from '../../../src/query/graph/grant-memory.pg.js';
import { grantsBetween } from '../../../src/query/graph/known-grants.js';
import { createAsk, type Snapshot } from '../../../src/query/ask/snapshot.pg.js';
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

const head = async (): Promise<number> =>
  Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
const QUERIES = [
  {},
  { client_iss: IDP, client_id: 'assistant' },
  { resource: CRM },
  { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' },
];
const ask = (questions: Questions, query: object) =>
  questions.graph(ACME, query).catch((error: { code: string }) => error.code);

async function expectSame(): Promise<void> {
  const end = await head();
  for (const query of QUERIES) {
    for (const moment of [{}, ...[1, end >> 1, end - 1].map((index) => ({ as_of: String(index) }))]) {
      const asked = { ...query, ...moment };
      expect({ asked, answer: await ask(old, asked) }).toEqual({ asked, answer: await ask(begin(), asked) });
    }
  }
}

/** Compares the answers of a process that remembers, of one that has just read, and of one that remembers no grants from that far back. */
async function expectSameChanges(
  moments: readonly (readonly [since: number, until: number])[],
  end: number,
  kinds: readonly string[] = ['grants-appeared', 'users-appeared'],
): Promise<number> {
  let lines = 0;
  for (const [since, until] of moments) {
    const asked = { since: String(since), ...(until === end ? {} : { until: String(until) }), limit: '100' };
    const answer = await old.changes(ACME, asked);
    expect({ asked, answer }).toEqual({ asked, answer: await begin().changes(ACME, asked) });
    const late = begin();
    await late.graph(ACME, {});
    await late.changes(ACME, { since: String(end - 1) });
    expect({ asked, answer }).toEqual({ asked, answer: await late.changes(ACME, asked) });
    lines += answer.items.filter(({ kind }) => kinds.includes(kind)).length;
  }
  return lines;
}

it('a graph from memory follows the ledger, and goes back in it', async () => {
  await expectSame();
  for (const batch of STORY.slice(3)) {
    await api.say(batch);
    await expectSame();
    const end = await head();
    expect(
      await expectSameChanges(
        [
          [1, end],
          [end >> 1, end],
          [1, end >> 1],
          [end >> 1, end - 1],
          [end - 1, end],
        ],
        end,
      ),
    ).toBeGreaterThan(0);
  }
  // A use where no block has ended: the memory of the same block's beginning goes on.
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

it('changes from memory and from the tables report the same growth', async () => {
  const begun = await head();
  const idJag = (nth: number, sub: string, scope: string) =>
    say('idp', 'id-jag.issued', T + 520 + nth, {
      iss: IDP,
      jti: `more-${nth}`,
      sub,
      tenant: 'acme',
      client_id: 'assistant-at-crm',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope,
      iat: T,
      exp: T + 300,
    });
  const said = [
    idJag(0, 'alice', 'contacts.read more.1'),
    idJag(1, 'newcomer', 'a'),
    idJag(2, 'newcomer', 'a b'),
    idJag(3, 'alice', 'more.2'),
    idJag(4, 'newcomer', 'c'),
    idJag(5, 'alice', 'more.1'),
  ];
  let lines = 0;
  for (const one of said) {
    await api.say([one]);
    const end = await head();
    const moments = Array.from({ length: end - begun }, (_, nth) => [begun + nth, end] as const);
    lines += await expectSameChanges(
      [...moments, ...moments.map(([since]) => [since, end - 1] as const).filter(([since, until]) => since < until)],
      end,
      ['grants-grew'],
    );
  }
  const answer = await old.changes(ACME, { since: String(begun), kind: 'grants-grew' });
  expect(answer.items).toMatchObject([
    {
      grants: 2,
      scopes_added: ['b', 'c', 'more.1', 'more.2'],
      first: { index: String(begun) },
      last: { index: String(begun + 4) },
    },
  ]);
  expect(lines).toBeGreaterThan(10);
}, 120_000);

it('memory takes nothing from a snapshot older than itself', async () => {
  const reading = createAsk({ pool: api.pool, now: () => NOW });
  const { allEdges } = createEdgeMemory();
  const versionsOf = createVersionMemory();
  const since = (await head()) - 1;
  const idJag = (nth: number, sub: string, scope: string) =>
    say('idp', 'id-jag.issued', T + 560 + nth, {
      iss: IDP,
      jti: `older-${nth}`,
      sub,
      tenant: 'acme',
      client_id: 'assistant-at-crm',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope,
      iat: T,
      exp: T + 300,
    });
  const learn = async (snapshot: Snapshot) => {
    const known = await allEdges(snapshot);
    return {
      known: known!,
      remembered: await rememberGrants(snapshot, known!, since),
      versions: await versionsOf(snapshot, since),
    };
  };
  await reading(ACME, async (older) => {
    await api.say([idJag(1, 'alice', 'older.1'), idJag(2, 'older', 'a')]);
    await reading(ACME, async (newer) => {
      await allEdges(newer);
      await versionsOf(newer, Number(newer.index) - 1);
    });
    expect(await learn(older)).toMatchObject({ remembered: false, versions: undefined });
  });
  await reading(ACME, async (latest) => {
    const { known, remembered, versions } = await learn(latest);
    const grants = [...known.edges.values()].flatMap((edge) => grantsBetween(edge, since, Number(latest.index)) ?? []);
    expect([
      remembered,
      grants.map(({ grants: count }) => count),
      versions!.versions.map(({ added }) => added),
    ]).toEqual([true, [1], [['older.1']]]);
  });
});

it('changes compare moments that lie far apart', async () => {
  await api.pool.query('UPDATE ledger_head SET next_ix = next_ix + 1000000 WHERE tenant = $1', [ACME]);
  const idJag = (nth: number) => ({
    iss: IDP,
    jti: `far-${nth}`,
    sub: `far-${nth}`,
    tenant: 'acme',
    client_id: 'assistant-at-crm',
    idp_client_id: 'assistant',
    aud: [CRM_AS],
    resource: [CRM],
    scope: 'a',
    iat: T,
    exp: T + 300,
  });
  await api.say([1, 2, 3].map((nth) => say('idp', 'id-jag.issued', T + 600 + nth, idJag(nth))));
  const end = await head();
  expect(
    await expectSameChanges(
      [
        [1, end],
        [1, end - 1],
      ],
      end,
    ),
  ).toBeGreaterThan(0);
});

it('memory is dropped when the tables are replaced', async () => {
  const before = (await old.graph(ACME, {})) as any;
  await api.pool.query(`BEGIN;
    ALTER TABLE edge_seen RENAME TO replaced; CREATE TABLE edge_seen (LIKE replaced INCLUDING ALL);
    INSERT INTO edge_seen SELECT * FROM replaced ORDER BY first_ix LIMIT 1; DROP TABLE replaced;
    COMMIT`);
  const after = (await old.graph(ACME, {})) as any;
  const connections = ({ edges }: any): number => edges.filter(({ type }: any) => type === 'connection').length;
  expect([connections(before) > 1, connections(after)]).toEqual([true, 1]);
});

it('a question reads the tables if there are more pairs than memory keeps', async () => {
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
});
