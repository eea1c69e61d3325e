import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import { onConnection, type PoolClient } from '../../../src/platform/postgres/index.js';
import { CRM, CRM_AS, issued, MONDAY, named, startWorld, used, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let clock = MONDAY;
/** An hour of its own for each spec. */
const later = (): number => (clock += 3_600);
const from = (client_address: string) => ({ client_address });

describe('use-after-rule', () => {
  it('finds uses after a rule stopped their token: one finding, which grows, with the rule and what stops it', async () => {
    const at = later();
    await world.tell(issued('ann-1', at, { user: 'ann', client: 'mail' }), used('ann-1', at + 10));
    await world.order('r-ann', at + 60, { effect: 'block', selector: { user: named('ann') } });
    const [finding, ...others] = await world.after('use-after-rule', used('ann-1', at + 120), used('ann-1', at + 130));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      kind: 'use-after-rule',
      severity: 'high',
      state: 'open',
      count: 2,
      first_seen: timeText(at + 120),
      last_seen: timeText(at + 130),
      user: { sub: 'ann' },
      client: { client_id: 'mail-at-crm' },
      resource: { uri: CRM },
      details: { rule: 'r-ann' },
      see: '/v1/reports/incident?rule=r-ann',
      stop: { selector: { user: named('ann'), client: { iss: CRM_AS, client_id: 'mail-at-crm' } } },
    });
    expect(finding!.entries).toHaveLength(2);
    const grown = await world.after('use-after-rule', used('ann-1', at + 200));
    expect(grown).toMatchObject([{ id: finding!.id, count: 3, last_seen: timeText(at + 200) }]);
    expect((await world.get(`/v1/findings/${finding!.id}`)).body).toEqual(grown[0]);
  });

  it('finds earlier uses when the rule becomes known later, by what the event says', async () => {
    const at = later();
    await world.tell(issued('ben-1', at, { user: 'ben', client: 'mail' }), used('ben-1', at + 100));
    expect(await world.after('use-after-rule')).toHaveLength(1);
    await world.order('r-ben', at + 60, { effect: 'block', selector: { user: named('ben') } });
    expect(await world.after('use-after-rule')).toMatchObject([{ user: { sub: 'ben' }, count: 1 }, {}]);
  });

  it('does not find uses before the rule, of others, or of a token that the rule does not stop', async () => {
    const at = later();
    await world.tell(
      issued('cid-1', at, { user: 'cid', client: 'mail' }),
      issued('dan-1', at, { user: 'dan', client: 'mail' }),
      used('cid-1', at + 30),
    );
    await world.order('r-cid', at + 60, { effect: 'revoke', selector: { user: named('cid') }, before: at + 60 });
    const found = await world.after(
      'use-after-rule',
      used('dan-1', at + 100),
      issued('cid-2', at + 1_000, { user: 'cid', client: 'mail' }),
      used('cid-2', at + 1_100),
    );
    expect(found.filter(({ user }) => user?.sub === 'cid' || user?.sub === 'dan')).toEqual([]);
  });
});

describe('token-from-two-networks', () => {
  const kind = 'token-from-two-networks';

  it('finds a token that is used from a second network and again from the first, also over several steps', async () => {
    const at = later();
    await world.after(
      kind,
      issued('eve-1', at, { user: 'eve', client: 'mail' }),
      used('eve-1', at + 10, from('192.0.2.7')),
      used('eve-1', at + 20, from('203.0.113.66')),
    );
    const [finding, ...others] = await world.after(kind, used('eve-1', at + 30, from('192.0.2.9')));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      user: { sub: 'eve' },
      count: 1,
      first_seen: timeText(at + 20),
      details: { here: '192.0.2.7', there: '203.0.113.66' },
      stop: { selector: { token: { iss: CRM_AS, jti: 'eve-1' } } },
    });
    expect(finding!.see).toBe(`/v1/tokens/${finding!.token}`);
  });

  it('finds a second network at once if an agent holds the token', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('fay-1', at, { user: 'fay', client: 'bot', agent: 'bot-1' }),
      used('fay-1', at + 10, from('192.0.2.7')),
      used('fay-1', at + 20, from('203.0.113.66')),
    );
    expect(found).toMatchObject([{ user: { sub: 'fay' }, agent: { id: 'bot-1' }, count: 1 }, {}]);
  });

  it('does not find a person who changes networks once, two addresses of one network, or two families', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('gus-1', at, { user: 'gus', client: 'mail' }),
      used('gus-1', at + 10, from('192.0.2.7')),
      used('gus-1', at + 20, from('198.51.100.8')),
      used('gus-1', at + 30, from('198.51.100.9')),
      issued('hal-1', at, { user: 'hal', client: 'bot', agent: 'bot-1' }),
      used('hal-1', at + 10, from('192.0.2.7')),
      used('hal-1', at + 20, from('192.0.9.1')),
      used('hal-1', at + 30, from('2001:db8::1')),
      used('hal-1', at + 40, from('not an address')),
    );
    expect(found.map(({ user }) => user?.sub)).toEqual(['fay', 'eve']);
  });
});

describe('the follower', () => {
  it('finds the same, whatever the steps, and nothing twice', async () => {
    const first = await world.list();
    await world.find();
    expect(await world.list()).toEqual(first);
    await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
    await world.find(1);
    /** Without what has a new id. */
    const plain = (items: typeof first) =>
      items
        .map((item) => ({ ...item, id: '', found_at: '', stop: item.stop?.selector }))
        .sort((one, other) => (one.says < other.says ? -1 : 1));
    expect(plain(await world.list())).toEqual(plain(first));
  });

  it('is one: a second one that looks at the same time leaves the ledger to the first', async () => {
    const at = later();
    await world.tell(
      issued('ivy-1', at, { user: 'ivy', client: 'bot', agent: 'bot-1' }),
      used('ivy-1', at + 10, from('192.0.2.7')),
      used('ivy-1', at + 20, from('203.0.113.66')),
    );
    await Promise.all([world.find(1), world.find(1), world.find(2)]);
    await world.find();
    expect((await world.list('&kind=token-from-two-networks')).filter(({ user }) => user?.sub === 'ivy')).toMatchObject(
      [{ count: 1 }],
    );
  });
});

describe('a step', () => {
  const networks = async (user: string) =>
    (await world.list('&kind=token-from-two-networks')).filter((finding) => finding.user?.sub === user);
  /** Tells of a token from two networks, and looks for findings until the step waits for the cursor, which `holder` has. */
  async function stepBehind(holder: PoolClient, user: string): Promise<{ readonly settled: Promise<unknown> }> {
    const at = later();
    await world.find();
    await world.tell(
      issued(`${user}-1`, at, { user, client: 'bot', agent: 'bot-1' }),
      used(`${user}-1`, at + 10, from('192.0.2.7')),
      used(`${user}-1`, at + 20, from('203.0.113.66')),
    );
    await holder.query('BEGIN');
    await holder.query('UPDATE finding_cursor c SET next_ix = h.next_ix FROM ledger_head h WHERE h.tenant = c.tenant');
    const settled = Promise.allSettled([world.find()]).then(([step]) => step);
    while ((await waiting()).length === 0) await delay(10);
    return { settled };
  }
  const waiting = async (): Promise<readonly { readonly pid: number }[]> =>
    (
      await world.pool.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE finding_cursor%'",
      )
    ).rows;

  it('leaves nothing behind if another process moved the cursor first', () =>
    onConnection(world.pool, async (holder) => {
      const { settled } = await stepBehind(holder, 'kim');
      await holder.query('COMMIT');
      expect(await settled).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('another process') },
      });
      expect(await networks('kim')).toEqual([]);
    }));

  it('that ends with its session before the cursor has moved is done again, and counts once', () =>
    onConnection(world.pool, async (holder) => {
      const { settled } = await stepBehind(holder, 'lea');
      await world.pool.query('SELECT pg_terminate_backend($1)', [(await waiting())[0]!.pid]);
      expect(await settled).toMatchObject({ status: 'rejected' });
      await holder.query('ROLLBACK');
      expect(await networks('lea')).toEqual([]);
      await world.find();
      expect(await networks('lea')).toMatchObject([{ count: 1 }]);
    }));
});

describe('GET /v1/findings', () => {
  it('filters by kind, severity, state, entity and time, and pages', async () => {
    const all = await world.list();
    expect(all.length).toBeGreaterThan(3);
    const [one] = all;
    expect(await world.list('&kind=use-after-rule,token-from-two-networks')).toHaveLength(all.length);
    expect(await world.list('&severity=critical')).toEqual([]);
    expect(await world.list('&state=resolved')).toEqual([]);
    expect(await world.list('&state=open&severity=high')).toEqual(all);
    expect(await world.list(`&user=${one!.user!.entity}`)).toEqual([one]);
    expect(await world.list(`&from=${one!.last_seen}`)).toEqual([one]);
    expect(await world.list(`&to=${timeText(MONDAY)}`)).toEqual([]);
    const first = (await world.get('/v1/findings?limit=2')).body;
    const second = (await world.get(`/v1/findings?limit=2&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items]).toEqual(all.slice(0, 4));
  });

  it('says how far the detections have read', async () => {
    const head = async () => (await world.get('/v1/coverage')).body.as_of.index;
    const read = async (caller?: string) => (await world.get('/v1/findings?limit=1', caller)).body.as_of;
    const before = await head();
    expect(await read()).toEqual({ index: before });
    await world.tell(issued('ned-1', later(), { user: 'ned', client: 'mail' }));
    expect(await read()).toEqual({ index: before });
    await world.find();
    expect(await read()).toEqual({ index: await head() });
    expect(await read('globex-audit')).toEqual({ index: '0' });
  });

  it('refuses what it does not know', async () => {
    expect((await world.get('/v1/findings?kind=ghost')).status).toBe(400);
    expect((await world.get('/v1/findings?state=ghost')).status).toBe(400);
    expect((await world.get('/v1/findings?ghost=1')).status).toBe(400);
    expect((await world.get('/v1/findings/ghost')).status).toBe(404);
    expect((await world.get('/v1/findings', 'acme-emit')).status).toBe(403);
    expect((await world.get('/v1/findings', 'globex-audit')).body.items).toEqual([]);
    const [one] = await world.list();
    expect((await world.get(`/v1/findings/${one!.id}`, 'globex-audit')).status).toBe(404);
  });
});
