import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import { say, type Said } from '../query/history.js';
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
  type Holder,
  type World,
  many,
  notGiven,
} from './world.js';

let world: World;
let clock = MONDAY;
/** Two days of its own for each spec. */
const later = (): number => (clock += 2 * DAY);
const subs = (found: readonly { readonly user: { readonly sub: string } | null }[]) =>
  found.map(({ user }) => user?.sub).sort();
const inOrder = (events: readonly Said[]): Said[] => [...events].sort((one, other) => one.at - other.at);

const exported = (holder: Holder, at: number, records: number, calls = 1) => {
  const jti = `${holder.user}-${holder.client}-${at}`;
  return [issued(jti, at, holder), ...many(calls, (nth) => used(jti, at + 10 + nth, { operation: 'export', records }))];
};

beforeAll(async () => {
  world = await startWorld();
  // The first day: a job and a scanner do what they do every day.
  await world.tell(
    ...exported({ user: 'job', client: 'backup' }, MONDAY, 90_000),
    ...many(6, (app) => notGiven('scan', 'scanner', MONDAY + 60 + app, app)),
    issued('scan-0', MONDAY + 100, { user: 'scan', client: 'scanner' }),
    ...many(15, (nth) => refused('scan-0', MONDAY + 110 + nth)),
  );
  await world.find();
  clock += 4 * DAY;
});
afterAll(() => world.stop());

describe('the first days of a ledger', () => {
  it.each(['bulk-export', 'refusals'])('have no %s: nobody knows yet what is usual', async (kind) => {
    expect(await world.list(`&kind=${kind}`)).toEqual([]);
  });

  it('does not find a scanner that is refused as often at as many resources every day', async () => {
    const at = later();
    clock += 2 * DAY;
    const run = (day: number) => {
      const when = at + day * DAY;
      return [
        ...many(6, (app) => notGiven('scan', 'scanner', when + 60 + app, app)),
        issued(`scan-${when}`, when + 100, { user: 'scan', client: 'scanner' }),
        ...many(15, (nth) => refused(`scan-${when}`, when + 110 + nth)),
      ];
    };
    expect(await world.after('refusals', ...[0, 1, 2].flatMap(run))).toEqual([]);
  });
});

describe('token-from-two-networks', () => {
  const kind = 'token-from-two-networks';
  const from = (client_address: string) => ({ client_address });

  it('finds a token in a new network minutes after it was in its own', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('ada-1', at, { user: 'ada', client: 'mail' }),
      used('ada-1', at + 10, from('192.0.2.7')),
      used('ada-1', at + 400, from('203.0.113.66')),
      used('ada-1', at + 500, from('203.0.113.67')),
    );
    expect(found).toMatchObject([
      {
        user: { sub: 'ada' },
        count: 2,
        first_seen: timeText(at + 400),
        details: { here: '192.0.2.7', there: '203.0.113.66' },
      },
    ]);
  });

  it('does not find who goes home, falls back to a network that others use, returns from there, or has two families', async () => {
    const at = later();
    const found = await world.after(
      kind,
      ...inOrder([
        issued('abe-1', at, { user: 'abe', client: 'mail' }),
        used('abe-1', at + 10, from('198.51.100.20')),
        issued('bea-1', at + 5_000, { user: 'bea', client: 'mail' }),
        used('bea-1', at + 5_010, from('192.0.2.8')),
        used('bea-1', at + 5_020, from('198.51.100.21')),
        used('bea-1', at + 5_030, from('192.0.2.8')),
        issued('cem-1', at + 5_000, { user: 'cem', client: 'mail' }),
        used('cem-1', at + 5_010, from('192.0.2.9')),
        used('cem-1', at + 7_000, from('100.64.7.1')),
        issued('dot-1', at + 5_000, { user: 'dot', client: 'mail' }),
        used('dot-1', at + 5_010, from('3fff:abc:1:2::7')),
        used('dot-1', at + 5_020, from('100.65.7.1')),
        used('dot-1', at + 5_030, from('3fff:abc:1:2::8')),
      ]),
    );
    expect(subs(found)).toEqual(['ada']);
  });

  it('finds a provider’s other network of the same family, also by IPv6', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('eli-1', at, { user: 'eli', client: 'mail' }),
      used('eli-1', at + 10, from('3fff:abc:1:2::7')),
      used('eli-1', at + 20, from('3fff:dead:9:9::7')),
      // At home by IPv4, then somewhere else, then at home by IPv6.
      issued('flo-1', at + 100, { user: 'flo', client: 'mail' }),
      used('flo-1', at + 110, from('100.65.7.1')),
      used('flo-1', at + 120, from('3fff:beef:1:1::5')),
      used('flo-1', at + 130, from('3fff:abc:1:2::9')),
    );
    expect(subs(found)).toEqual(['ada', 'eli', 'flo']);
    expect(found.find(({ user }) => user?.sub === 'flo')).toMatchObject({
      count: 1,
      details: { here: '3fff:abc:1:2::9', there: '3fff:beef:1:1::5' },
    });
  });
});

describe('bulk-export', () => {
  const kind = 'bulk-export';
  it('finds a user without a past there who reads far more than other users, though a job reads more', async () => {
    const at = later();
    const people = many(12, (nth) => exported({ user: `p-${nth}`, client: 'report' }, at + nth * 60, 700)).flat();
    const found = await world.after(
      kind,
      ...people,
      ...exported({ user: 'job', client: 'backup' }, at + 900, 90_000),
      ...exported({ user: 'fay', client: 'report' }, at + DAY, 4_000, 3),
    );
    expect(found).toMatchObject([{ user: { sub: 'fay' }, count: 3, details: { records: 12_000 } }]);
  });

  it('finds seven times a user’s own most, not four times as at the end of a month, nor the same weekday again', async () => {
    const at = later();
    clock += 15 * DAY;
    const days = many(15, (day) => day);
    const gil = days.flatMap((day) =>
      exported({ user: 'gil', client: 'report' }, at + day * DAY, day === 14 ? 7_000 : 900),
    );
    const month = days.flatMap((day) =>
      exported({ user: 'month', client: 'end' }, at + day * DAY + 60, day === 14 ? 80_000 : 20_000),
    );
    const week = days.flatMap((day) =>
      exported({ user: 'week', client: 'end' }, at + day * DAY + 120, day % 7 === 6 ? 200_000 : 20_000),
    );
    const found = await world.after(kind, ...inOrder([...gil, ...month, ...week]));
    expect(subs(found)).toEqual(['fay', 'gil', 'week']);
    expect(found.find(({ user }) => user?.sub === 'week')).toMatchObject({ first_seen: timeText(at + 6 * DAY + 130) });
  });
});

describe('scopes-grew', () => {
  it('finds the first deletion of a client that has read for days; no other new scope, and nothing of a new client', async () => {
    const at = later();
    clock += 4 * DAY;
    const holder = (user: string, client: string) => ({ user, client, scope: 'files.read files.delete files.write' });
    const first = (user: string, client: string, when: number, scope: string, operation: 'read' | 'write' | 'delete') =>
      [
        issued(`${user}-${when}`, when, holder(user, client)),
        used(`${user}-${when}`, when + 10, { scope, operation }),
        used(`${user}-${when}`, when + 20, { scope, operation }),
      ] as const;
    const found = await world.after(
      'scopes-grew',
      ...first('hob', 'reader', at, 'files.read', 'read'),
      ...first('ira', 'fresh', at + 3.5 * DAY, 'files.read', 'read'),
      ...first('hob', 'reader', at + 4 * DAY, 'files.write', 'write'),
      ...first('hob', 'reader', at + 4 * DAY + 100, 'files.delete', 'delete'),
      ...first('ira', 'fresh', at + 4 * DAY + 200, 'files.delete', 'delete'),
    );
    expect(found).toMatchObject([
      {
        user: { sub: 'hob' },
        client: { client_id: 'reader-at-crm' },
        first_seen: timeText(at + 4 * DAY + 110),
        details: { used: 'files.delete', how: 'first used', days: 4 },
      },
    ]);
  });

  it('takes it for usual if five others began so in 14 days', async () => {
    const at = later();
    clock += 4 * DAY;
    const begun = many(6, (nth) => {
      const holder = { user: `jo-${nth}`, client: `reader-${nth}`, scope: 'files.read files.delete' };
      const use = (when: number, scope: string, operation: 'read' | 'delete') => [
        issued(`${holder.user}-${when}`, when, holder),
        used(`${holder.user}-${when}`, when + 10, { scope, operation }),
      ];
      return [...use(at + nth, 'files.read', 'read'), ...use(at + 4 * DAY + nth * 60, 'files.delete', 'delete')];
    });
    const found = await world.after('scopes-grew', ...inOrder(begun.flat()));
    // The client of the spec before began so too.
    expect(subs(found)).toEqual(['hob', 'jo-0', 'jo-1', 'jo-2', 'jo-3']);
  });
});

describe('refusals', () => {
  const kind = 'refusals';
  it('finds a client that asks for one application after the other, under another name at each', async () => {
    const at = later();
    const found = await world.after(
      kind,
      ...many(5, (app) => notGiven('jay', 'prober', at + app * 20, app)),
      ...many(3, (app) => notGiven('kit', 'prober', at + app * 20, app)),
    );
    expect(found).toMatchObject([
      {
        user: { sub: 'jay' },
        client: { client_id: 'prober' },
        count: 5,
        first_seen: timeText(at),
        last_seen: timeText(at + 80),
        details: { resources: 5 },
        stop: { selector: { user: named('jay'), client: { iss: IDP, client_id: 'prober' } } },
      },
    ]);
    expect(found[0]!.entries).toHaveLength(5);
  });

  it('counts what the IdP refused and what a resource refused together, in whichever step they came', async () => {
    const at = later();
    await world.after(
      kind,
      jag('lew-1', at, { user: 'lew', client: 'helper' }),
      issued('lew-1', at + 1, { user: 'lew', client: 'helper' }),
      ...many(6, (nth) => refused('lew-1', at + 10 + nth * 60)),
    );
    expect(subs(await world.list(`&kind=${kind}`))).toEqual(['jay']);
    const found = await world.after(kind, ...many(5, (nth) => notGiven('lew', 'helper', at + 500 + nth * 60, 1)));
    expect(subs(found)).toEqual(['jay', 'lew']);
  });
});

describe('id-jag-replayed', () => {
  const kind = 'id-jag-replayed';
  const denied = (jti: string, at: number, reason: string): Said =>
    say('crm', 'token.denied', at, {
      iss: CRM_AS,
      id_jag: { iss: IDP, jti },
      client_id: 'mail-at-crm',
      aud: [CRM],
      error: 'invalid_grant',
      reason,
    });
  const refusedOnes = async (...events: readonly Said[]) =>
    (await world.after(kind, ...events)).filter(({ details }) => details['how'] === 'refused');

  it('finds a refused presentation of an ID-JAG that a token was made of, whatever the refusal says', async () => {
    const at = later();
    const found = await refusedOnes(
      issued('max-1', at, { user: 'max', client: 'mail' }),
      denied('jag-of-max-1', at + 60, 'not today'),
      denied('jag-of-max-1', at + 90, 'not today'),
      issued('ned-1', at, { user: 'ned', client: 'mail' }),
      denied('jag-of-somebody', at + 60, 'no such account'),
    );
    expect(found).toMatchObject([
      {
        user: { sub: 'max' },
        client: { client_id: 'mail-at-crm' },
        count: 2,
        first_seen: timeText(at + 60),
        stop: { selector: { user: named('max'), client: { iss: CRM_AS, client_id: 'mail-at-crm' } } },
      },
    ]);
  });

  it('finds it also if the token becomes known after the refusal, and counts it once', async () => {
    const at = later();
    const before = await refusedOnes(denied('jag-of-oz-1', at + 60, 'not today'));
    expect(subs(before)).toEqual(['max']);
    const late = { ...issued('oz-1', at, { user: 'oz', client: 'mail' }), at: at + 900 };
    expect(subs(await refusedOnes(late))).toEqual(['max', 'oz']);
    expect((await refusedOnes(used('oz-1', at + 1_000))).map(({ count }) => count)).toEqual([1, 2]);
  });
});
