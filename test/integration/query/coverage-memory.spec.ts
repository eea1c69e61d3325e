import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Pool, PoolClient } from 'pg';
import { createQuestions, type Questions } from '../../../src/query/index.js';
import { ACME, SOURCES, startQueryApi } from './history.js';
import { STORY } from './story.js';

/* What a process remembers of closed blocks changes no answer: one that remembers says what one says that has just begun. */
const DAY_S = 86_400;
/** Two blocks end in it: after five entries, and where the head is moved on. */
const FIRST = 65_531;
/** One of them ends the first block and begins the second. */
const BATCHES = [1, 3, 4, 2, 3, 1] as const;
const EVENTS = STORY.flat().filter(({ source }) => source !== 'globex');

let api: Awaited<ReturnType<typeof startQueryApi>>;
let old: Questions;
let now: number;
let hidden: string | undefined;
const control = () => {
  const state = api.control();
  return Object.create(state, {
    sources: { value: () => [...state.sources()].filter(({ id }) => id !== hidden) },
  }) as typeof state;
};
const begin = (): Questions => createQuestions({ pool: api.pool, control, now: () => now });
/** While it is there, questions wait for it once they have their snapshot. */
let held: Promise<void> | undefined;
let onHeld = (): void => undefined;
const waiting = (client: PoolClient, until: Promise<void>): PoolClient => {
  let round = 0;
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== 'query') return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: unknown[]) => {
        round += 1;
        // The first round trip has taken the snapshot.
        if (round === 2) {
          onHeld();
          await until;
        }
        return (value as (...args: unknown[]) => Promise<unknown>).apply(target, args);
      };
    },
  });
};
const waitingPool = (): Pool =>
  new Proxy(api.pool, {
    get(target, property) {
      if (property !== 'connect') return Reflect.get(target, property, target) as unknown;
      return async () => (held ? waiting(await target.connect(), held) : target.connect());
    },
  });

beforeAll(async () => {
  api = await startQueryApi([]);
  await api.pool.query('INSERT INTO ledger_head (tenant, next_ix) VALUES ($1, $2)', [ACME, FIRST]);
  now = Math.floor(Date.now() / 1000);
  old = createQuestions({ pool: waitingPool(), control, now: () => now });
});
afterAll(() => api.stop());

async function expectSame(): Promise<any> {
  const answer = await old.coverage(ACME, {});
  expect(answer).toEqual(await begin().coverage(ACME, {}));
  return answer;
}
const eventsOf = ({ items }: any): number => items.reduce((sum: number, { events }: any) => sum + events, 0);
const timedOf = ({ items }: any): number =>
  items.reduce((sum: number, { clock }: any) => sum + (clock?.events ?? 0), 0);

it('coverage from memory continues from one block to the next', async () => {
  let said = 0;
  for (const size of BATCHES) {
    await api.say(EVENTS.slice(said, (said += size)));
    const answer = await expectSame();
    expect([eventsOf(answer), timedOf(answer)]).toEqual([said, said]);
  }
  expect(said).toBe(EVENTS.length - 1);
}, 120_000);

it('coverage from memory answers a question that began before another ended the block', async () => {
  const before = await old.coverage(ACME, {});
  let goOn = (): void => undefined;
  held = new Promise((resolve) => (goOn = resolve));
  const begun = new Promise<void>((resolve) => (onHeld = resolve));
  const early = old.coverage(ACME, {});
  await begun;
  held = undefined;
  await api.say(EVENTS.slice(-1));
  await api.pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [ACME, 3 << 16]);
  const later = await expectSame();
  goOn();
  expect(await early).toEqual(before);
  expect(await expectSame()).toEqual(later);
  expect(later.items.map(({ uses }: any) => uses.count)).toEqual([3, 0, 0, 41]);
});

it('coverage judges clocks by the days of the question, whatever was asked before', async () => {
  now += 3 * DAY_S;
  expect(timedOf(await expectSame())).toBe(0);
  now -= 3 * DAY_S;
  expect(timedOf(await expectSame())).toBe(EVENTS.length);
});

it('coverage counts events of a source that came before its registration was known', async () => {
  hidden = SOURCES.crm.id;
  old = begin();
  expect((await expectSame()).items.length).toBe(3);
  hidden = undefined;
  expect((await expectSame()).items.find(({ source }: any) => source.name === 'crm').events).toBe(
    EVENTS.filter(({ source }) => source === 'crm').length,
  );
});

it('coverage forgets when the tables are replaced', async () => {
  await api.pool.query(
    'BEGIN; ALTER TABLE edge_use RENAME TO replaced; CREATE TABLE edge_use (LIKE replaced INCLUDING ALL); DROP TABLE replaced; TRUNCATE source_count; COMMIT',
  );
  expect(eventsOf(await expectSame())).toBe(0);
});
