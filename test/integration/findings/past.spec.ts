import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import type { FindingItem, FindingPage } from '../../../src/findings/index.js';
import { ACME, NOW, type Said } from '../query/history.js';
import { DAY, issued, MONDAY, named, startWorld, used, type World } from './world.js';

let world: World;
/** Findings as they were shown at each index of the ledger at which a step ended. */
const shown = new Map<string, readonly FindingItem[]>();
const indexes: number[] = [];

const from = (client_address: string) => ({ client_address });
const head = async () =>
  Number((await world.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0]!.next_ix);
const page = async (query: string): Promise<FindingPage> => {
  const { status, body } = await world.get(`/v1/findings?limit=100&${query}`);
  expect({ query, status, body }).toMatchObject({ query, status: 200 });
  return body;
};
const asOf = (moment: number | string) => page(`as_of=${moment}`);

/** Tells, looks for findings, and remembers them. */
async function step(...events: readonly Said[]): Promise<void> {
  for (const event of events) {
    await world.tell(event);
    await world.find();
    await remember();
  }
}

async function remember(): Promise<void> {
  const index = await head();
  indexes.push(index);
  shown.set(String(index), await world.list());
}

/** Says something of the finding of a user, at `at`. */
async function say(user: string, at: number, body: object): Promise<void> {
  const { id } = (await world.list()).find((one) => one.user?.sub === user)!;
  const { status } = await world.send('POST', `/v1/findings/${id}`, 'acme-revoke', body);
  expect(status).toBe(200);
  await world.pool.query('UPDATE entry SET arrival = $2 WHERE tenant = $1 AND arrival > $2', [ACME, at * 1_000]);
  await world.find();
  await remember();
}

const token = (user: string, at: number, client = 'bot'): Said => issued(user, at, { user, client, agent: 'bot-1' });
const twice = (user: string, at: number): readonly Said[] => [
  used(user, at + 10, from('192.0.2.7')),
  used(user, at + 20, from('203.0.113.66')),
];

beforeAll(async () => {
  world = await startWorld();
  shown.set('0', []);
  await world.order('r-nobody', MONDAY - 60, { effect: 'block', selector: { user: named('nobody') } });
  await world.find();
  await remember();
  await step(token('ann', MONDAY), ...twice('ann', MONDAY), ...twice('ann', MONDAY + 60));
  await say('ann', MONDAY + 120, { state: 'acknowledged', reason: 'Dana looks at it' });
  await step(...twice('ann', MONDAY + 180), token('ben', MONDAY + 240, 'scan'), ...twice('ben', MONDAY + 240));
  await say('ben', MONDAY + 300, { state: 'muted', reason: 'a scanner', until: '1d', same: ['client'] });
  await step(token('cid', MONDAY + 360, 'scan'), ...twice('cid', MONDAY + 360));
  await say('ben', MONDAY + 420, { state: 'open', same: ['client'] });
  await say('ann', MONDAY + 480, { state: 'resolved' });
  await step(...twice('ann', MONDAY + DAY + 3_600), ...twice('cid', MONDAY + DAY + 3_660));
  await say('ann', MONDAY + 2 * DAY, { state: 'false-alarm', reason: 'a proxy' });
  await step(...twice('ben', MONDAY + 3 * DAY), ...twice('ann', MONDAY + 4 * DAY));
});
afterAll(() => world.stop());

/** The part of findings that people say nothing of, and that does not grow with the time. */
const SAID: readonly string[] = ['state', 'state_by', 'state_at', 'reason', 'muted_until'];
const evidence = (items: readonly FindingItem[]) =>
  items
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((item) =>
      Object.entries(item).filter(
        ([name]) => !SAID.includes(name) && (name !== 'last_seen' || item.kind !== 'idle-rule'),
      ),
    );

/**
 * Expects of every index the findings that were shown when the detections had read as far as the answer says, with what people had said by the index. Resolves
 * to how far the detections were behind each.
 */
async function expectAll(): Promise<readonly number[]> {
  const behind: number[] = [];
  for (let index = 1; index <= (await head()); index++) {
    const { as_of: read, items } = await asOf(index);
    const whole = shown.get(read.index)!;
    expect({ index, items: evidence(items) }).toEqual({ index, items: evidence(whole) });
    if (read.index === String(index)) expect({ index, items }).toEqual({ index, items: whole });
    behind.push(index - Number(read.index));
  }
  return behind;
}

describe('GET /v1/findings?as_of=', () => {
  it('shows the findings as they were shown then: which, their state, severity, count and times', async () => {
    const states = [...shown.values()].flat().map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['open', 'acknowledged', 'muted', 'resolved', 'false-alarm']));
    expect(Math.max(...(await expectAll()))).toBe(0);
  });

  it('takes a time as well, and a duration back from now', async () => {
    const at = MONDAY + 82;
    const index = Number((await asOf(timeText(at))).as_of.index);
    expect((await asOf(timeText(at))).items).toEqual(shown.get(String(index)));
    expect(shown.get(String(index))).toMatchObject([{ count: expect.any(Number), state: 'open' }]);
    const evening = MONDAY + 18 * 3_600;
    const { as_of: read, items } = await asOf(`${(NOW - evening) / DAY}d`);
    expect(items).toEqual(shown.get(read.index));
    expect(read).toEqual((await asOf(timeText(evening))).as_of);
    expect(Number(read.index)).toBeGreaterThan(index);
  });

  it('filters by what was then, and pages at one moment', async () => {
    const [last] = indexes.slice(-1);
    const muted = indexes.find((index) => shown.get(String(index))!.some(({ state }) => state === 'muted'))!;
    const states = async (state: string, moment: number) =>
      (await page(`state=${state}&as_of=${moment}`)).items.map(({ user }) => user?.sub);
    expect(await states('muted', muted)).toEqual(['ben']);
    expect(await states('muted', last!)).toEqual([]);
    const all = shown.get(String(last))!;
    const first = (await world.get(`/v1/findings?limit=2&as_of=${last}`)).body;
    await step(token('dot', MONDAY + 5 * DAY), ...twice('dot', MONDAY + 5 * DAY));
    const rest = await world.get(`/v1/findings?limit=2&as_of=${last}&cursor=${first.next}`);
    expect([...first.items, ...rest.body.items]).toEqual(all);
    expect((await world.get(`/v1/findings?limit=2&cursor=${first.next}`)).status).toBe(400);
  });

  it('shows one finding as it was, and none before it was found', async () => {
    const { id } = shown.get(String(indexes.at(-1)))!.find(({ user }) => user?.sub === 'ann')!;
    const answers = await Promise.all(indexes.map((index) => world.get(`/v1/findings/${id}?as_of=${index}`)));
    for (const [nth, { status, body }] of answers.entries()) {
      const then = shown.get(String(indexes[nth]))!.find((one) => one.id === id);
      expect(then === undefined ? status : body).toEqual(then ?? 404);
    }
    expect(answers.filter(({ status }) => status === 404).length).toBeGreaterThan(0);
  });

  it('is refused beyond the ledger', async () => {
    expect((await world.get(`/v1/findings?as_of=${(await head()) + 1}`)).body).toMatchObject({
      code: 'as-of-out-of-range',
    });
  });
});

describe('the answers about a user, client, agent, resource and token about the past', () => {
  it('show the findings that were open then', async () => {
    const ann = shown.get(String(indexes.at(-1)))!.find(({ user }) => user?.sub === 'ann')!;
    for (const index of indexes.slice(2)) {
      const open = shown.get(String(index))!.filter(({ state }) => state === 'open');
      for (const [path, filter] of [
        [`/v1/entities/${ann.user!.entity}`, (one: FindingItem) => one.user?.sub === 'ann'],
        [`/v1/entities/${ann.client!.entity}`, (one: FindingItem) => one.client?.entity === ann.client!.entity],
        [`/v1/entities/${ann.agent!.entity}`, (one: FindingItem) => one.agent?.entity === ann.agent!.entity],
        [`/v1/entities/${ann.resource!.entity}`, (one: FindingItem) => one.resource?.entity === ann.resource!.entity],
        [`/v1/tokens/${ann.token}`, (one: FindingItem) => one.token === ann.token],
      ] as const) {
        const about = open.filter(filter);
        const { status, body } = await world.get(`${path}?as_of=${index}`);
        expect({ path, index, status, findings: body.findings }).toMatchObject({
          path,
          index,
          status: 200,
          findings: {
            count: about.length,
            severity: about[0]?.severity ?? null,
            // An answer about an entity names no network.
            items: about.slice(0, 3).map(({ id, says, last_seen }) => ({
              id,
              says: says.replace(/from \S+ beside \S+ \(/, 'from a second network beside its own ('),
              last_seen,
            })),
          },
        });
      }
    }
  });
});

describe('the past of findings that are found anew', () => {
  it.each([1, 3, 4_000])('is the same, as far as steps of %s entries had read', async (size) => {
    await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
    await world.find(size);
    const behind = await expectAll();
    expect(Math.max(...behind)).toBeLessThan(size);
    expect(await world.list()).toEqual(shown.get(String(indexes.at(-1))));
  });
});

describe('a past of more than a week', () => {
  it('is kept day by day, and the answer says as of when', async () => {
    await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
    await world.find(1);
    const rows = async () =>
      (
        await world.pool.query<{ day: number; rows: number; findings: number; steps: number }>(
          `SELECT day - $1 AS day, count(*)::int AS rows, count(DISTINCT finding)::int AS findings, count(DISTINCT (from_ix, to_ix))::int AS steps
           FROM finding_past WHERE tenant = $2 GROUP BY day ORDER BY day`,
          [MONDAY / DAY, ACME],
        )
      ).rows;
    const before = await rows();
    expect(before[0]).toMatchObject({ day: 0, findings: 3 });
    expect(before[0]!.rows).toBeGreaterThan(3);
    await step(token('eve', MONDAY + 8 * DAY));
    expect(await rows()).toEqual([{ day: 0, rows: 3, findings: 3, steps: 1 }, ...before.slice(1)]);
    const behind = await expectAll();
    const first = indexes.findIndex((index) => shown.get(String(index))!.some(({ count }) => count > 0));
    expect(Math.max(...behind)).toBeGreaterThan(first);
    expect(behind.slice(-10).every((entries) => entries === 0)).toBe(true);
    await step(token('fay', MONDAY + 20 * DAY));
    const thinned = await rows();
    expect(thinned.every(({ rows: kept, findings, steps }) => kept === findings && steps === 1)).toBe(true);
    expect(thinned.length).toBe(before.length);
    await expectAll();
  });
});

it('a step that changes nothing of a finding keeps nothing of it', async () => {
  const [idle] = await world.list('&kind=idle-rule&state=open');
  const { rows } = await world.pool.query('SELECT FROM finding_past WHERE finding = $1', [idle!.id]);
  expect(rows).toHaveLength(1);
});
