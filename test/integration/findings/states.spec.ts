import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText, validateEventData } from '../../../src/contracts/index.js';
import { createControlLog } from '../../../src/control/index.js';
import { FindingsModule, type FindingItem } from '../../../src/findings/index.js';
import { ACME, NOW, secretOf, sha256, T } from '../query/history.js';
import { CRM, issued, MONDAY, used, startWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const KIND = 'token-from-two-networks';
const DAY = 86_400;
let clock = MONDAY;
let tokens = 0;

/** Tells of a token of an agent from two networks, and returns its finding. */
async function found(user: string, client = 'bot'): Promise<FindingItem> {
  const at = (clock += 3_600);
  const jti = `${user}-${++tokens}`;
  await world.after(
    KIND,
    issued(jti, at, { user, client, agent: 'bot-1' }),
    used(jti, at + 10, { client_address: '192.0.2.7' }),
    used(jti, at + 20, { client_address: '203.0.113.66' }),
  );
  return (await world.list(`&kind=${KIND}`))[0]!;
}

/** More evidence of the newest finding of a user. */
const grow = (user: string): Promise<unknown> =>
  world.after(KIND, used(`${user}-${tokens}`, (clock += 60), { client_address: '203.0.113.66' }));

/** Says something of a finding, at the time of the story. */
async function say(id: string, body: object, caller = 'acme-revoke') {
  const answer = await world.send('POST', `/v1/findings/${id}`, caller, body);
  await world.pool.query(
    "UPDATE entry SET arrival = $2 WHERE tenant = $1 AND type = 'dev.rescind.finding.changed.v1' AND arrival > $2",
    [ACME, clock * 1_000],
  );
  return answer;
}
const get = async (id: string) => (await world.get(`/v1/findings/${id}`)).body as FindingItem;
const changes = async (id: string) => (await world.get(`/v1/findings/${id}/changes`)).body.items;
const entries = async () =>
  Number((await world.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0]!.next_ix);

describe('POST /v1/findings/{id}', () => {
  it('changes the state, writes it to the ledger with its author, and every answer shows it', async () => {
    const { id } = await found('ann');
    expect(await get(id)).toMatchObject({ state: 'open', state_by: null, state_at: null, reason: null });
    const before = await entries();
    const said = await say(id, { state: 'acknowledged', reason: 'Dana looks at it', on_behalf_of: 'dana' });
    expect(said).toMatchObject({
      status: 200,
      body: {
        id,
        state: 'acknowledged',
        state_by: { caller: 'acme-revoke', on_behalf_of: 'dana' },
        state_at: timeText(NOW).replace('Z', '.000Z'),
        reason: 'Dana looks at it',
        muted_until: null,
        entry: String(before),
      },
    });
    const { entry, ...state } = said.body;
    expect(await get(id)).toMatchObject(state);
    expect((await world.list('&state=acknowledged')).map((one) => one.id)).toEqual([id]);
    expect((await world.list('&state=open')).map((one) => one.id)).not.toContain(id);
    expect((await world.list('&state=open,acknowledged')).map((one) => one.id)).toContain(id);

    const { payload, type } = (await world.get(`/v1/entries/${entry}`)).body;
    const event = JSON.parse(Buffer.from(payload.bytes, 'base64').toString());
    expect(type).toBe('dev.rescind.finding.changed.v1');
    expect(validateEventData('finding.changed', event.data)).toBeUndefined();
    expect(event).toMatchObject({
      source: `urn:rescind:${ACME}`,
      data: {
        finding: id,
        nth: 1,
        kind: KIND,
        state: 'acknowledged',
        about: { user: { sub: 'ann' }, client: { client_id: 'bot-at-crm' }, agent: { id: 'bot-1' } },
        author: { caller: 'acme-revoke', on_behalf_of: 'dana' },
      },
    });
    expect(await changes(id)).toEqual([
      {
        nth: 1,
        state: 'acknowledged',
        reason: 'Dana looks at it',
        until: null,
        same: [],
        by: { caller: 'acme-revoke', on_behalf_of: 'dana' },
        at: timeText(NOW).replace('Z', '.000Z'),
        entry,
      },
    ]);
  });

  it('does not say again what was said last', async () => {
    const { id } = await found('bea');
    const first = await say(id, { state: 'resolved', reason: 'was a test' });
    const before = await entries();
    expect((await say(id, { state: 'resolved', reason: 'was a test' })).body).toEqual(first.body);
    expect(await entries()).toBe(before);
    expect((await say(id, { state: 'resolved', reason: 'was no test' })).status).toBe(200);
    expect(await entries()).toBe(before + 1);
    expect((await changes(id)).map(({ nth }: { nth: number }) => nth)).toEqual([3, 2]);
  });

  it('is refused to a caller that may revoke for some issuers and resources alone', async () => {
    const id = 'acme-revoke-some';
    const secrets = [{ id: 's1', sha256: sha256(secretOf(id)), created_at: T }];
    const roles = { revoke: { issuers: ['https://auth.crm.example'], resources: [CRM] } };
    const body = { id, roles, secrets, disabled: false };
    await createControlLog({ pool: world.pool }).append({
      records: [{ kind: 'caller.changed', tenant: ACME, subject: id, body }],
    });
    const finding = (await world.list())[0]!;
    const before = await entries();
    const answered = () => say(finding.id, { state: 'resolved', reason: 'mine' }, id);
    let answer = await answered();
    // Unknown until the record has been followed.
    while (answer.status === 401) answer = await answered();
    expect([answer.status, await entries()]).toEqual([403, before]);
  });

  it.each(['acme-audit', 'acme-admin', 'acme-emit', 'acme-revoke-own', 'globex-revoke'])(
    'is refused to %s',
    async (caller) => {
      const { id } = (await world.list())[0]!;
      const before = await entries();
      expect([403, 404]).toContain((await say(id, { state: 'resolved' }, caller)).status);
      expect(await entries()).toBe(before);
    },
  );

  it.each([
    ['no state', {}, 'invalid-request'],
    ['another state', { state: 'ghost' }, 'invalid-request'],
    ['an unknown member', { state: 'resolved', ghost: 1 }, 'invalid-request'],
    ['a false alarm without a reason', { state: 'false-alarm' }, 'invalid-request'],
    ['a mute without a reason', { state: 'muted', until: '1d' }, 'invalid-request'],
    ['a mute without an end', { state: 'muted', reason: 'x' }, 'invalid-request'],
    ['a mute that has ended', { state: 'muted', reason: 'x', until: NOW - 1 }, 'time-not-future'],
    ['an end of what has none', { state: 'resolved', until: '1d' }, 'invalid-request'],
    ['names of what has none', { state: 'resolved', same: ['user'] }, 'invalid-request'],
    ['an unknown name', { state: 'muted', reason: 'x', until: '1d', same: ['ghost'] }, 'invalid-request'],
    [
      'a name that the finding lacks',
      { state: 'muted', reason: 'x', until: '1d', same: ['source'] },
      'inconsistent-request',
    ],
    [
      'a secret',
      { state: 'resolved', reason: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      'token-in-request',
    ],
  ])('refuses %s', async (_what, body, code) => {
    const { id } = (await world.list())[0]!;
    expect(await say(id, body)).toMatchObject({ status: 400, body: { code } });
  });

  it('knows no finding of another id', async () => {
    expect((await say('ghost', { state: 'resolved' })).status).toBe(404);
    expect((await say('5c1f0d0e-43a7-4d4c-8f1b-6a2f0d9c7e11', { state: 'resolved' })).status).toBe(404);
    expect((await world.get('/v1/findings/ghost/changes')).status).toBe(404);
  });
});

describe('new evidence', () => {
  it('opens a finding again that a person resolved, and not what the person had seen', async () => {
    const { id } = await found('cat');
    await say(id, { state: 'resolved' });
    expect(await get(id)).toMatchObject({ state: 'resolved', closed_at: null, count: 1 });
    await world.find();
    expect(await get(id)).toMatchObject({ state: 'resolved' });
    await grow('cat');
    expect(await get(id)).toMatchObject({ state: 'open', state_by: null, reason: null, count: 2 });
    expect(await changes(id)).toHaveLength(1);
  });

  it('leaves an acknowledged finding so, which grows', async () => {
    const { id } = await found('dot');
    await say(id, { state: 'acknowledged' });
    await grow('dot');
    expect(await get(id)).toMatchObject({ state: 'acknowledged', count: 2 });
  });

  it('does not open a false alarm before its end, and opens it at its end', async () => {
    const { id } = await found('eli');
    await say(id, { state: 'false-alarm', reason: 'a proxy', until: '1d' });
    await grow('eli');
    expect(await get(id)).toMatchObject({ state: 'false-alarm', muted_until: timeText(NOW + DAY), count: 2 });
    await world.pool.query('UPDATE finding_change SET until_at = $1 WHERE finding = $2', [NOW, id]);
    expect(await get(id)).toMatchObject({ state: 'open', muted_until: null });
  });

  it('opens a false alarm that has no end', async () => {
    const { id } = await found('fay');
    await say(id, { state: 'false-alarm', reason: 'a proxy' });
    expect(await get(id)).toMatchObject({ state: 'false-alarm' });
    await grow('fay');
    expect(await get(id)).toMatchObject({ state: 'open' });
  });

  it('does not open a muted finding before the end of the mute; a person does', async () => {
    const { id } = await found('gil');
    await say(id, { state: 'muted', reason: 'moving offices', until: '7d' });
    await grow('gil');
    expect(await get(id)).toMatchObject({ state: 'muted', muted_until: timeText(NOW + 7 * DAY), count: 2 });
    await say(id, { state: 'open' });
    expect(await get(id)).toMatchObject({ state: 'open', state_by: { caller: 'acme-revoke' } });
  });
});

describe('the answers about a user, client, agent, resource and token', () => {
  it('show how many open findings there are about it, and the first of them', async () => {
    const { id, user, client, agent, resource, token, says, severity, last_seen } = await found('rex', 'lonely');
    // An answer about an entity names no network.
    const shown = { id, kind: KIND, severity, says: withoutNetworks(says), last_seen };
    const findings = async (path: string) => (await world.get(path)).body.findings;
    const ofUser = `/v1/entities/${user!.entity}`;
    for (const path of [ofUser, `/v1/entities/${client!.entity}`, `/v1/tokens/${token}`])
      expect(await findings(path)).toEqual({ count: 1, severity, items: [shown] });
    for (const { entity } of [agent!, resource!]) {
      const about = await findings(`/v1/entities/${entity}`);
      expect(about).toMatchObject({ count: expect.any(Number), severity, items: [shown, {}, {}] });
      const param = entity === resource!.entity ? 'resource' : 'agent';
      expect(about.count).toBe((await world.list(`&state=open&${param}=${entity}`)).length);
    }
    const before = await entries();
    await say(id, { state: 'acknowledged' });
    expect(await findings(ofUser)).toEqual({ count: 0, severity: null, items: [] });
    expect(await findings(`${ofUser}?as_of=${before}`)).toEqual({ count: 1, severity, items: [shown] });
  });
});

describe('the news', () => {
  const told = async (id: string) =>
    (
      await world.pool.query<{ what: string }>('SELECT what FROM finding_news WHERE finding = $1 ORDER BY seq', [id])
    ).rows.map(({ what }) => what);

  it('tell that a person changed the state, and that evidence opened the finding again', async () => {
    const { id } = await found('oda');
    await say(id, { state: 'resolved' });
    await world.find();
    expect(await told(id)).toEqual(['opened', 'state-changed']);
    await grow('oda');
    expect(await told(id)).toEqual(['opened', 'state-changed', 'reopened']);
    await say(id, { state: 'acknowledged' });
    await grow('oda');
    expect((await told(id)).at(-1)).toBe('state-changed');
  });

  it('are silent about what is muted, and tell it when the mute has ended', async () => {
    const { id } = await found('pia', 'proxy');
    await say(id, { state: 'muted', reason: 'a proxy', until: '1d', same: ['client'] });
    await grow('pia');
    await grow('pia');
    expect(await told(id)).toEqual(['opened', 'state-changed']);
    const other = await found('quin', 'proxy');
    expect(await told(other.id)).toEqual([]);
    await world.pool.query('UPDATE finding_change SET until_at = 0 WHERE finding = $1', [id]);
    await grow('quin');
    expect(await told(other.id)).toEqual(['opened']);
  });
});

describe('a mute of a kind', () => {
  it('counts for the findings that have the same names, present and later ones, and for no other', async () => {
    const first = await found('hal', 'scan');
    const second = await found('ida', 'scan');
    const other = await found('ida', 'mail');
    const said = await say(first.id, { state: 'muted', reason: 'a scanner', until: '1d', same: ['client'] });
    expect(said.body).toMatchObject({ state: 'muted', muted_until: timeText(NOW + DAY) });
    const third = await found('joy', 'scan');
    for (const { id } of [first, second, third])
      expect(await get(id)).toMatchObject({ state: 'muted', reason: 'a scanner', state_by: { caller: 'acme-revoke' } });
    expect(await get(other.id)).toMatchObject({ state: 'open' });
    await say(second.id, { state: 'acknowledged' });
    expect(await get(second.id)).toMatchObject({ state: 'acknowledged' });

    expect(await say(third.id, { state: 'open' })).toMatchObject({
      status: 400,
      body: { code: 'inconsistent-request', detail: expect.stringContaining('same client') },
    });
    expect((await say(third.id, { state: 'open', same: ['client'] })).body).toMatchObject({ state: 'open' });
    expect(await get(first.id)).toMatchObject({ state: 'open' });
    expect(await get(second.id)).toMatchObject({ state: 'acknowledged' });
  });

  it('ends at its time', async () => {
    const { id } = await found('kim', 'scan');
    await say(id, { state: 'muted', reason: 'a scanner', until: '1d', same: ['client', 'user'] });
    expect(await get(id)).toMatchObject({ state: 'muted' });
    await world.pool.query('UPDATE finding_change SET until_at = $1 WHERE finding = $2', [NOW, id]);
    expect(await get(id)).toMatchObject({ state: 'open' });
  });
});

describe('a change whose entry was not written', () => {
  it('gets it when it is said again, once', async () => {
    const { id } = await found('lea');
    await say(id, { state: 'resolved', reason: 'x' });
    const [told] = await changes(id);
    await world.pool.query('UPDATE finding_change SET entry = NULL WHERE finding = $1', [id]);
    expect((await changes(id))[0]).toMatchObject({ entry: null });
    const before = await entries();
    expect((await say(id, { state: 'resolved', reason: 'x' })).body).toMatchObject({ entry: told.entry });
    expect(await changes(id)).toEqual([told]);
    expect(await entries()).toBe(before);
  });

  it('gets it when a process starts', async () => {
    const { id } = await found('lia');
    await say(id, { state: 'resolved', reason: 'x' });
    const [told] = await changes(id);
    await world.pool.query('UPDATE finding_change SET entry = NULL WHERE finding = $1', [id]);
    world.app.get(FindingsModule).onApplicationBootstrap();
    while ((await changes(id))[0].entry === null) await delay(10);
    expect(await changes(id)).toEqual([told]);
  });
});

describe('findings that are found anew', () => {
  it('have the states that they had', async () => {
    const plain = async () =>
      (await world.list())
        .map(({ id, state, reason, muted_until }) => ({ id, state, reason, muted_until }))
        .sort((one, other) => (one.id < other.id ? -1 : 1));
    await say((await found('mia')).id, { state: 'false-alarm', reason: 'a proxy' });
    await say((await found('ned')).id, { state: 'muted', reason: 'a proxy', until: '2d' });
    await grow('ned');
    const before = await plain();
    expect(new Set(before.map(({ state }) => state)).size).toBe(5);
    await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_memory, finding_day');
    await world.find();
    expect(await plain()).toEqual(before);
  });
});

const withoutNetworks = (says: string): string =>
  says.replace(/from \S+ beside \S+ \(/, 'from a second network beside its own (');
