import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText, type EventDataOf } from '../../../src/contracts/index.js';
import { ACME, say, type Said } from '../query/history.js';
import { sayOwn } from '../query/own-entries.js';
import {
  CRM,
  CRM_AS,
  DAY,
  IDP,
  issued,
  jag,
  MONDAY,
  named,
  refused,
  startWorld,
  used,
  type World,
  many,
} from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let clock = MONDAY;
const HOUR = 3_600;
/** Two days of its own for each spec. */
const later = (): number => (clock += 2 * DAY);
const subs = (found: readonly { readonly user: { readonly sub: string } | null }[]) =>
  found.map(({ user }) => user?.sub).sort();
const inOrder = (...events: readonly Said[]): readonly Said[] => events.toSorted((one, other) => one.at - other.at);

describe('use-after-silence', () => {
  const kind = 'use-after-silence';
  const once = (user: string, client: string, at: number) => [
    issued(`${client}-${at}`, at, { user, client }),
    used(`${client}-${at}`, at + 10, { records: 7 }),
  ];
  const approved = (client: string, at: number) =>
    say('idp', 'connection.created', at, {
      iss: IDP,
      tenant: 'acme',
      idp_client_id: client,
      aud: [CRM_AS],
      client_id: `${client}-at-crm`,
      resource: [CRM],
      scope: 'all.read',
    });
  it('finds the first use after a week: of what was in use, often or once, and of what was approved and never used', async () => {
    const at = later();
    clock += 12 * DAY;
    const found = await world.after(
      kind,
      ...inOrder(
        approved('quiet-tool', at),
        ...[0, 1, 2, 3].flatMap((day) => once('jim', 'old-tool', at + day * DAY)),
        ...once('jim', 'rare-tool', at + 2 * DAY),
        ...once('kim', 'quiet-tool', at + 7 * DAY),
        ...once('jim', 'rare-tool', at + 9 * DAY),
        ...once('jim', 'old-tool', at + 10 * DAY),
      ),
    );
    expect(found.map(({ client, details }) => [client?.client_id, details['days'], details['never_used']])).toEqual([
      ['old-tool-at-crm', 7, false],
      ['rare-tool-at-crm', 7, false],
      ['quiet-tool-at-crm', 7, true],
    ]);
    // It grows within a day of its first use, and no longer.
    const more = [...once('kim', 'old-tool', at + 10 * DAY + 600), ...once('kim', 'old-tool', at + 11 * DAY + 600)];
    const [grown] = await world.after(kind, ...more);
    expect(grown).toMatchObject({ id: found[0]!.id, count: 2, last_seen: timeText(at + 10 * DAY + 610) });
  });

  it('does not find a new client, a weekend, or a user who was away while others were not', async () => {
    const at = later();
    clock += 8 * DAY;
    await world.after(
      kind,
      ...[0, 1, 2, 3].flatMap((day) => once('lee', 'shared', at + day * DAY)),
      ...once('max', 'shared', at + 5 * DAY),
      ...once('lee', 'shared', at + 10 * DAY),
    );
    expect((await world.list(`&kind=${kind}`)).filter(({ client }) => client?.client_id === 'shared-at-crm')).toEqual(
      [],
    );
  });

  it('does not find it where many others woke in the last days, unless the first call reads much', async () => {
    const at = later();
    clock += 30 * DAY;
    const before = (await world.list(`&kind=${kind}`)).length;
    const tools = many(9, (nth) => `tool-${nth}`);
    const woken = (nth: number) => at + 20 * DAY + nth * HOUR;
    const found = await world.after(
      kind,
      ...inOrder(
        ...tools.flatMap((tool, nth) => once('jim', tool, at + nth * HOUR)),
        ...tools.slice(0, 8).flatMap((tool, nth) => once('jim', tool, woken(nth))),
        issued('kim-8', woken(8), { user: 'kim', client: 'tool-8' }),
        used('kim-8', woken(8) + 60, { records: 640 }),
      ),
    );
    const names = found.slice(0, found.length - before).map(({ client }) => client?.client_id);
    expect(names.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 8].map((nth) => `tool-${nth}-at-crm`));
  });
});

describe('second-hop', () => {
  const kind = 'second-hop';
  const parent = (jti: string) => ({ parent: { iss: CRM_AS, jti } });
  const hop = (user: string, client: string, at: number) => [
    issued(`${user}-one-${at}`, at, { user, client }),
    used(`${user}-one-${at}`, at + 5),
    jag(`${user}-two-${at}`, at + 10, { user, client, app: 'wiki' }, parent(`${user}-one-${at}`)),
    issued(`${user}-two-${at}`, at + 11, { user, client, app: 'wiki' }),
    used(`${user}-two-${at}`, at + 20, {}, 'wiki'),
    used(`${user}-two-${at}`, at + 30, {}, 'wiki'),
  ];
  it('finds a traded token at a resource where its user never was', async () => {
    const at = later();
    expect(await world.after(kind, ...hop('tom', 'reader', at))).toMatchObject([
      { user: { sub: 'tom' }, client: { client_id: 'reader-at-wiki' }, count: 2, first_seen: timeText(at + 20) },
    ]);
  });

  it('finds it also if the ID-JAG that tells of the exchange comes after the uses', async () => {
    const at = later();
    const [one, use, exchanged, ...rest] = hop('ugo', 'reader', at);
    expect(subs(await world.after(kind, one!, use!, ...rest))).toEqual(['tom']);
    expect(await world.after(kind, { ...exchanged!, at: at + 60 })).toMatchObject([
      { user: { sub: 'ugo' }, count: 2, first_seen: timeText(at + 20) },
      { user: { sub: 'tom' } },
    ]);
  });

  it('does not find it where the user was before, or where the client goes for many', async () => {
    const at = later();
    clock += 4 * DAY;
    await world.after(
      kind,
      issued('una-0', at, { user: 'una', client: 'browser', app: 'wiki' }),
      used('una-0', at + 1, {}, 'wiki'),
      ...hop('una', 'reader', at + DAY),
    );
    for (const user of ['va', 'vb', 'vc', 'vd']) await world.after(kind, ...hop(user, 'router', (clock += 600)));
    expect(subs(await world.list(`&kind=${kind}`))).toEqual(['tom', 'ugo', 'va', 'vb', 'vc']);
    // A refreshed token is no exchange.
    const again = later();
    const wim = { user: 'wim', client: 'refresher' };
    await world.after(
      kind,
      issued('wim-1', again, wim),
      issued('wim-r', again, wim, { kind: 'refresh', aud: [CRM_AS] }),
      issued('wim-2', again + 60, wim, parent('wim-r')),
      used('wim-2', again + 70),
    );
    expect(subs(await world.list(`&kind=${kind}`))).not.toContain('wim');
  });
});

describe('long-lived-token', () => {
  it('finds access tokens of over a day or without an end, and no shorter one', async () => {
    const at = later();
    const found = await world.after(
      'long-lived-token',
      issued('yan-1', at, { user: 'yan', client: 'forever' }, { exp: at + 30 * DAY }),
      issued('yan-2', at, { user: 'yan', client: 'forever' }, { exp: at + 20 * DAY }),
      issued('yan-3', at, { user: 'yan', client: 'day' }, { exp: at + DAY }),
      issued('yan-4', at, { user: 'yan', client: 'refresher' }, { kind: 'refresh', aud: [CRM_AS], exp: at + 30 * DAY }),
    );
    expect(found).toMatchObject([
      {
        severity: 'low',
        count: 2,
        client: { client_id: 'forever-at-crm' },
        source: { name: 'crm' },
        details: { hours: 720 },
      },
    ]);
  });
});

describe('idle-rule', () => {
  it('finds a block that nothing met for a day, and closes itself when something does', async () => {
    const at = later();
    clock += 3 * DAY;
    await world.tell(
      issued('cal-1', at, { user: 'cal', client: 'mail', agent: 'cal-bot' }),
      issued('deb-1', at, { user: 'deb', client: 'mail' }, { exp: at + 5 * DAY }),
    );
    await world.order('r-cal', at + 10, { effect: 'block', selector: { user: named('cal') } });
    await world.order('r-bot', at + 10, { effect: 'block', selector: { agent: { iss: IDP, id: 'cal-bot' } } });
    await world.order('r-deb', at + 10, { effect: 'block', selector: { user: named('deb') } });
    const kind = 'idle-rule';
    await world.after(kind, refused('deb-1', at + 60));
    const found = await world.after(kind, issued('eli-1', at + 2 * DAY, { user: 'eli', client: 'mail' }));
    expect(found.map(({ details, user, agent }) => [details['rule'], user?.sub, agent?.id]).sort()).toEqual([
      ['r-bot', undefined, 'cal-bot'],
      ['r-cal', 'cal', undefined],
    ]);
    expect(found[0]).toMatchObject({ severity: 'info', state: 'open' });
    const met = await world.after(
      kind,
      issued('cal-2', at + 2 * DAY + 100, { user: 'cal', client: 'mail' }),
      refused('cal-2', at + 2 * DAY + 200),
    );
    expect(met.map(({ details, state }) => [details['rule'], state]).sort()).toEqual([
      ['r-bot', 'open'],
      ['r-cal', 'resolved'],
    ]);
  });

  it('finds a rule of either effect that names nobody, and no revocation of somebody who is known', async () => {
    const at = later();
    await world.tell(issued('fox-1', at, { user: 'fox', client: 'mail' }));
    await world.order('r-typo', at + 10, { effect: 'revoke', selector: { user: named('foxx') } });
    await world.order('r-gone', at + 10, { effect: 'block', selector: { client: { iss: IDP, client_id: 'no-such' } } });
    await world.order('r-fox', at + 10, { effect: 'revoke', selector: { user: named('fox') } });
    const found = await world.after('idle-rule', issued('eli-2', at + DAY + 60, { user: 'eli', client: 'mail' }));
    const rules = found.filter(({ first_seen }) => first_seen >= timeText(at));
    expect(rules.map(({ says }) => says).sort()).toEqual([
      'Rule r-gone stops nothing: nobody called no-such was ever seen.',
      'Rule r-typo stops nothing: nobody called foxx was ever seen.',
    ]);
    // The name is seen later: the revocation is of no use to it, and the finding ends.
    const [typo] = (
      await world.after('idle-rule', issued('foxx-1', at + DAY + 90, { user: 'foxx', client: 'mail' }))
    ).filter(({ details }) => details['rule'] === 'r-typo');
    expect(typo).toMatchObject({ state: 'resolved' });
  });
});

describe('administration', () => {
  it('finds a rule on everything, and no other rule', async () => {
    const at = later();
    await world.order('r-all', at, { effect: 'block', selector: { all: true } });
    await world.order('r-one', at, { effect: 'block', selector: { user: named('nobody') } });
    expect(await world.after('administration')).toMatchObject([
      { severity: 'high', details: { how: 'all', rule: 'r-all', by: 'acme-revoke' }, stop: null },
    ]);
  });

  it('finds a ledger that goes on although entries are lost that a checkpoint covers', async () => {
    const at = later();
    const origin = `log.example/${ACME}`;
    const ix = await sayOwn(world.pool, ACME, 'ledger.continued', at * 1_000, {
      origin: `${origin}/2`,
      last: { origin: `${origin}/1`, size: '4711', root: Buffer.alloc(32).toString('base64') },
      kept: '4200',
      reason: 'the disk was lost',
    });
    await world.pool.query('UPDATE entry SET arrival = $3 WHERE tenant = $1 AND ix = $2', [ACME, ix, at * 1_000]);
    const found = await world.after('administration');
    expect(found.filter(({ details }) => details['how'] === 'anchor')).toMatchObject([
      {
        severity: 'high',
        says: 'The ledger goes on from 4200 entries, although a checkpoint of 4711 was signed: an old backup was restored.',
        stop: null,
      },
    ]);
  });

  it('finds a change of the key that signs the ledger', async () => {
    const at = later();
    const origin = `log.example/${ACME}/1`;
    const ix = await sayOwn(world.pool, ACME, 'log-key.changed', at * 1_000, {
      origin,
      from: `${origin}+aaaaaaaa+AQ`,
      to: `${origin}+bbbbbbbb+AQ`,
      until: at + 31 * DAY,
      reason: 'the yearly change',
    });
    await world.pool.query('UPDATE entry SET arrival = $3 WHERE tenant = $1 AND ix = $2', [ACME, ix, at * 1_000]);
    const found = await world.after('administration');
    expect(found.filter(({ details }) => details['how'] === 'log-key')).toMatchObject([
      { severity: 'high', says: `The key that signs the ledger was changed to ${origin}+bbbbbbbb+AQ.`, stop: null },
    ]);
  });

  /** The ledger says that a key was used from a network for the first time. */
  const keyUsed = (
    of: World,
    at: number,
    caller: string,
    network: string,
    what: Partial<EventDataOf['key.used']> = {},
  ): Promise<void> =>
    sayUsed(of, at, { caller, key: `key-of-${caller}`, network, first: false, shared: false, ...what });

  async function sayUsed({ pool }: World, at: number, said: EventDataOf['key.used']): Promise<void> {
    const ix = await sayOwn(pool, ACME, 'key.used', at * 1_000, said);
    await pool.query('UPDATE entry SET arrival = $3 WHERE tenant = $1 AND ix = $2', [ACME, ix, at * 1_000]);
  }

  it('finds a key in a network in which no caller was, and neither its first network nor that of a colleague', async () => {
    const at = later();
    clock += 4 * DAY;
    await keyUsed(world, at, 'analyst', '203.0.113.0/24', { first: true });
    await keyUsed(world, at + 4 * DAY, 'helpdesk', '203.0.113.0/24', { first: true, shared: true });
    await keyUsed(world, at + 4 * DAY + 1, 'helpdesk', '198.51.100.0/24');
    await keyUsed(world, at + 4 * DAY + 2, 'analyst', '198.51.100.0/24', { shared: true });
    await keyUsed(world, at + 4 * DAY + 3, 'console', '192.0.2.0/24', { first: true });
    const person = { iss: 'https://idp.example', sub: 'dana' };
    const caller = 'person:https://idp.example#dana';
    await sayUsed(world, at + 4 * DAY + 4, { caller, person, network: '192.0.9.0/24', first: false, shared: false });
    const found = await world.after('administration');
    expect(found.filter(({ details }) => details['how'] === 'person')).toMatchObject([
      {
        severity: 'high',
        says: 'dana used Rescind from 192.0.9.0/24, where no caller was before.',
        details: { person },
      },
    ]);
    expect(found.filter(({ details }) => details['how'] === 'key')).toMatchObject([
      {
        severity: 'high',
        count: 1,
        says: 'Key key-of-helpdesk of helpdesk was used from 198.51.100.0/24, where no caller was before.',
        next: expect.stringContaining('`rescind caller remove-secret <caller> <key>`'),
        stop: null,
      },
    ]);
  });

  it('knows from day 3 of the ledger on where callers are', async () => {
    const young = await startWorld();
    try {
      await keyUsed(young, MONDAY, 'analyst', '203.0.113.0/24', { first: true });
      await keyUsed(young, MONDAY + 3 * DAY - 1, 'analyst', '198.51.100.0/24');
      await keyUsed(young, MONDAY + 3 * DAY, 'analyst', '192.0.2.0/24');
      const found = await young.after('administration');
      expect(found.map(({ details }) => details['network'])).toEqual(['192.0.2.0/24']);
    } finally {
      await young.stop();
    }
  });
});
