import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSegment } from '../../../src/archive/write-segment.pg.js';
import { createArchivedUses } from '../../../src/explore/index.js';
import { inTransaction, onConnection } from '../../../src/platform/postgres/index.js';
import { deleteCold, type ColdUses } from '../../../src/projections/index.js';
import { createRandom, type Random } from '../../../src/seed/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { testLog } from '../../support/services.js';
import { ACME, say, writeHistory, type Said } from '../query/history.js';
import {
  CRM,
  CRM_AS,
  DAY,
  disabled,
  IDP,
  issued,
  jag,
  many,
  MONDAY,
  named,
  notGiven,
  refused,
  startWorld,
  used,
  type World,
} from './world.js';

const MINUTES = 300_000;
const HOUR = 3_600;
const DAYS = 13;
const USERS = ['ann', 'ben', 'cid', 'dan'];
const CLIENTS = ['mail', 'reader', 'rare'];

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
const cleanups = cleanUp(afterAll);
afterAll(() => world.stop());

interface Arriving {
  readonly event: Said;
  readonly arrives: number;
}

/** Two weeks in which anything may be late, lost, out of order, repeated or wrong. */
function tell(random: Random): readonly Arriving[] {
  const told: Arriving[] = [];
  const number = { crm: 0, wiki: 0 };
  const add = (event: Said, delay = random.chance(0.1) ? random.below(9 * HOUR) : random.below(20)): void => {
    told.push({ event, arrives: event.at + 1 + delay });
  };
  for (let nth = 0; nth < 45; nth++) {
    const at = MONDAY + Math.floor(DAYS * DAY * random.next());
    // The wiki is silent for days, and a client is used on the first and last days alone.
    const app = at < MONDAY + 5 * DAY || at > MONDAY + 11 * DAY ? random.pick(['crm', 'wiki'] as const) : 'crm';
    const client =
      at > MONDAY + 2 * DAY && at < MONDAY + 10 * DAY ? random.pick(CLIENTS.slice(0, 2)) : random.pick(CLIENTS);
    const holder = { user: random.pick(USERS), client, app, ...(client === 'reader' ? { agent: 'bot' } : {}) };
    const jti = `${app}-${nth}`;
    const before = told
      .map(({ event }) => event)
      .filter(({ name, at: when }) => name === 'token.issued' && when < at - 60);
    const parent = random.chance(0.3) && before.length > 0 ? random.pick(before) : undefined;
    const { iss, jti: of } = (parent?.data ?? {}) as { iss?: string; jti?: string };
    if (random.chance(0.9)) add(jag(jti, at, holder, parent ? { parent: { iss: iss!, jti: of! } } : {}));
    const states = random.chance(0.1) ? { id_jag: { ...named(random.pick(USERS)), jti: `jag-of-${jti}` } } : {};
    const lives = random.chance(0.1) ? { exp: at + 9 * DAY } : {};
    if (random.chance(0.9)) add(issued(jti, at + 1, holder, { ...states, ...lives }));
    if (random.chance(0.05)) add(issued(jti, at + 2, holder, { exp: at + 99 }));
    for (let more = 1 + random.below(4), when = at + 5; more > 0; more--, when += random.below(900)) {
      const sequence = (number[app] += random.chance(0.05) ? 3 : 1);
      const details = { sequence, client_address: `192.0.${random.below(2)}.1`, records: random.below(900) } as never;
      add(random.chance(0.1) ? refused(jti, when, app) : used(jti, when, details, app));
    }
  }
  add(disabled('dan', MONDAY + 8 * DAY));
  add(
    say('idp', 'connection.created', MONDAY + 60, {
      iss: IDP,
      tenant: 'acme',
      idp_client_id: 'rare',
      aud: [CRM_AS],
      client_id: 'rare-at-crm',
      resource: [CRM],
      scope: 'all.read',
    }),
  );
  return told.toSorted((one, other) => one.arrives - other.arrives);
}

/** A stolen token whose networks alternate again a day later: whether its first day is looked back to must not depend on the steps. */
function stolen(at: number): readonly Said[] {
  const uses = [
    [10, '192.0.2.7'],
    [20, '203.0.113.66'],
    [DAY + 5, '192.0.2.7'],
    [DAY + 15, '203.0.113.66'],
    [DAY + HOUR, '203.0.113.66'],
  ] as const;
  return [
    issued('stolen', at, { user: 'ann', client: 'reader', agent: 'bot' }, { exp: at + 2 * DAY }),
    ...uses.map(([after, client_address]) => used('stolen', at + after, { client_address })),
  ];
}

/** Clients that probe, before and after midnight and at two applications, some of it late, beside one that is allowed as often as refused. */
function probed(at: number): readonly Arriving[] {
  const tokens = (['crm', 'wiki'] as const).flatMap((app) => [
    jag(`probe-${app}`, at - 1, { user: 'eve', client: 'probe', app }),
    issued(`probe-${app}`, at, { user: 'eve', client: 'probe', app }, { exp: at + DAY }),
    issued(`busy-${app}`, at, { user: 'fay', client: 'busy', app }, { exp: at + DAY }),
  ]);
  const denials = many(40, (nth) =>
    refused(nth % 3 === 0 ? 'probe-wiki' : 'probe-crm', at + 60 + nth * 45, nth % 3 === 0 ? 'wiki' : 'crm'),
  );
  const busy = many(30, (nth) =>
    nth % 2 === 0 ? used('busy-crm', at + 60 + nth * 5) : refused('busy-crm', at + 60 + nth * 5),
  );
  const asked = many(6, (app) => notGiven('gil', 'asker', at + 60 + app * 700, app));
  return [...tokens, ...denials, ...busy, ...asked].map((event, nth) => ({
    event,
    arrives: event.at + 1 + (nth % 7 === 6 ? 400 : 0),
  }));
}

/** Exports of many records in small reads, of which the first ones are nothing special, and some come late. */
function exported(at: number): readonly Arriving[] {
  const holder = { user: 'hal', client: 'exporter' };
  const days = many(4, (day) => [
    issued(`export-${day}`, at + day * DAY, holder),
    used(`export-${day}`, at + day * DAY + 5, { records: 40 }),
  ]).flat();
  const last = at + 4 * DAY;
  const reads = many(30, (nth) =>
    used('export-last', last + 10 + nth * 20, { records: nth % 5 === 4 ? 0 : 400, operation: 'export' }),
  );
  return [...days, issued('export-last', last, holder), ...reads].map((event, nth) => ({
    event,
    arrives: event.at + 1 + (nth % 6 === 5 ? 90 : 0),
  }));
}

/** Tells the story in batches, with rules that people order in between. */
async function enter(random: Random): Promise<void> {
  const story = tell(random);
  let sent = 0;
  const until = async (time: number): Promise<void> => {
    while (sent < story.length && story[sent]!.arrives < time) {
      const batch = story.slice(sent, sent + 1 + random.below(4)).filter(({ arrives }) => arrives < time);
      const events = batch.map(({ event }) => event);
      const arrival = batch.at(-1)!.arrives * 1_000;
      await inTransaction(world.pool, (client) => writeHistory(client, events, () => arrival));
      sent += batch.length;
    }
  };
  for (const [day, user] of [
    [2, 'ben'],
    [6, 'cid'],
    [9, 'nobody'],
  ] as const) {
    const at = MONDAY + day * DAY;
    await until(at);
    await world.order(`r-${user}`, at, { effect: random.pick(['block', 'revoke']), selector: { user: named(user) } });
  }
  await until(Infinity);
  await world.tell(...stolen(MONDAY + 15 * DAY + 10 * HOUR));
  const late = [...exported(MONDAY + 18 * DAY + 9 * HOUR), ...probed(MONDAY + 23 * DAY - 15 * 60)];
  for (const { event, arrives } of late.toSorted((one, other) => one.arrives - other.arrives))
    await world.tellAt(arrives, event);
}

/** All findings, found anew, without what the clock of the service says. */
async function foundAnew(size: number, cold?: ColdUses): Promise<readonly object[]> {
  await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
  await world.find(size, cold);
  const { rows } = await world.pool.query<object>(
    `SELECT kind, subject, severity, count, first_at, last_at, usr, client, agent, res, tok, source, entries, details, closed_ms IS NULL AS is_open
     FROM finding ORDER BY kind, subject`,
  );
  return rows;
}

/** Archives the ledger and deletes all uses that may leave. The sums of users, which no detection reads, are said to have them. */
async function leave(root: string): Promise<number> {
  const { rows } = await world.pool.query<{ end: string }>('SELECT next_ix AS end FROM ledger_head WHERE tenant = $1', [
    ACME,
  ]);
  const end = BigInt(rows[0]!.end);
  await world.pool.query(
    'INSERT INTO use_usr_end (tenant, blk) VALUES ($1, 1) ON CONFLICT (tenant) DO UPDATE SET blk = 1',
    [ACME],
  );
  return onConnection(world.pool, async (client) => {
    await writeSegment({ client, root, range: { tenant: ACME, first: 0n, end, day: '2026-09-22' } });
    return deleteCold(client, { table: 'access', before: MONDAY + 12 * DAY, archived: [{ tenant: ACME, end }] });
  });
}

describe('a ledger', () => {
  let whole: readonly object[];
  beforeAll(async () => {
    await enter(createRandom('cuts'));
    whole = await foundAnew(4_000);
  }, MINUTES);

  it('tells of exports and refusals from their beginning', () => {
    const of = (kind: string) => whole.filter((one) => (one as { kind: string }).kind === kind);
    expect(of('bulk-export')).toMatchObject([{ count: '24' }]);
    expect(of('refusals')).toMatchObject([
      { count: '19', details: { resources: 2 } },
      { count: '15', details: { resources: 1 } },
      { count: '6', details: { resources: 4 } },
    ]);
  });

  it('has findings of many kinds', () => {
    expect(new Set(whole.map((one) => (one as { kind: string }).kind)).size).toBeGreaterThan(5);
  });

  it.each([1, 2, 17])(
    'has the same findings if it is read in steps of %s entries',
    async (size) => {
      expect(await foundAnew(size)).toEqual(whole);
    },
    MINUTES,
  );

  it(
    'has the same findings after its uses have left PostgreSQL',
    async () => {
      const root = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-archive-`));
      cleanups.push(() => rm(root, { recursive: true }));
      const cold = createArchivedUses({ log: testLog(), archiveRoot: root });
      cleanups.push(() => cold.stop());
      expect(await leave(root)).toBeGreaterThan(10);
      expect(await foundAnew(150, cold)).toEqual(whole);
    },
    MINUTES,
  );

  it('keeps days of uses for 90 days, and the last one of each user, client and resource', async () => {
    const zed = { user: 'zed', client: 'mail' };
    const at = MONDAY + 20 * DAY;
    const days = async () => {
      const { rows } = await world.pool.query<{ days: number; old: number }>(
        `SELECT count(*)::int AS days, count(*) FILTER (WHERE day < $1)::int AS old FROM finding_day GROUP BY usr, client, res ORDER BY 2 DESC`,
        [at / DAY + 10],
      );
      return rows;
    };
    await world.after(
      'bulk-export',
      issued('zed-1', at, zed),
      ...[0, 1, 2].map((day) => used('zed-1', at + day * DAY)),
    );
    expect((await days())[0]!.old).toBeGreaterThan(2);
    await world.after('bulk-export', issued('zed-2', at + 101 * DAY, zed), used('zed-2', at + 101 * DAY + 5));
    expect((await days()).every(({ old }) => old === 1)).toBe(true);
    expect((await days()).some(({ days: all }) => all === 2)).toBe(true);
  });
});
