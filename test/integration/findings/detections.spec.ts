import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import { say } from '../query/history.js';
import {
  CRM,
  CRM_AS,
  DAY,
  disabled,
  enabled,
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
} from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let clock = MONDAY;
/** Two days of its own for each spec. */
const later = (): number => (clock += 2 * DAY);
const subs = (found: readonly { readonly user: { readonly sub: string } | null }[]) =>
  found.map(({ user }) => user?.sub).sort();

describe('issued-while-disabled', () => {
  const kind = 'issued-while-disabled';
  it('finds an ID-JAG and a token of a disabled user, also if the disabling becomes known later', async () => {
    const at = later();
    const ann = { user: 'ann', client: 'mail' };
    const found = await world.after(
      kind,
      disabled('ann', at),
      jag('ann-1', at + 100, ann),
      issued('ann-1', at + 101, ann),
    );
    expect(found).toMatchObject([
      {
        severity: 'high',
        count: 2,
        user: { sub: 'ann' },
        first_seen: timeText(at + 100),
        last_seen: timeText(at + 101),
        details: { disabled_at: timeText(at) },
        stop: { selector: { user: named('ann') } },
      },
    ]);
    await world.after(kind, issued('ben-1', at + 300, { user: 'ben', client: 'mail' }));
    expect(subs(await world.after(kind, disabled('ben', at + 200)))).toEqual(['ann', 'ben']);
  });

  it('does not find what was issued before, after an enabling, or for others', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('cid-1', at, { user: 'cid', client: 'mail' }),
      disabled('cid', at + 100),
      enabled('cid', at + 200),
      issued('cid-2', at + 300, { user: 'cid', client: 'mail' }),
      issued('dan-1', at + 150, { user: 'dan', client: 'mail' }),
    );
    expect(subs(found)).toEqual(['ann', 'ben']);
  });

  it('finds a token of an earlier step whose user its ID-JAG tells later, and counts it once', async () => {
    const at = later();
    const nell = { user: 'nell', client: 'mail' };
    await world.tell(
      disabled('nell', at),
      issued('nell-1', at + 101, nell, { id_jag: { iss: IDP, jti: 'jag-of-nell-1' } }),
    );
    await world.find();
    await world.after(kind, jag('nell-1', at + 100, nell));
    const found = await world.after(kind, used('ann-1', at + 200));
    expect(found.filter(({ user }) => user?.sub === 'nell')).toMatchObject([
      { count: 2, first_seen: timeText(at + 100), last_seen: timeText(at + 101) },
    ]);
  });
});

describe('token-of-another-client', () => {
  it('finds a token made of the ID-JAG of another client, and no other', async () => {
    const at = later();
    const found = await world.after(
      'token-of-another-client',
      jag('eve-1', at, { user: 'eve', client: 'mail' }),
      issued('eve-1', at + 1, { user: 'eve', client: 'thief' }),
      jag('eve-2', at, { user: 'eve', client: 'mail' }),
      issued('eve-2', at + 1, { user: 'eve', client: 'mail' }),
    );
    expect(found).toMatchObject([
      {
        count: 1,
        client: { client_id: 'thief-at-crm' },
        details: { issued_to: 'mail-at-crm' },
        stop: { selector: { client: { iss: CRM_AS, client_id: 'thief-at-crm' } } },
      },
    ]);
  });

  it('finds it also if the ID-JAG comes in a later step', async () => {
    const at = later();
    const zita = { user: 'zita', client: 'robber' };
    await world.tell(issued('zita-1', at + 1, zita, { id_jag: { iss: IDP, jti: 'jag-of-zita-1' } }));
    await world.find();
    const found = await world.after('token-of-another-client', jag('zita-1', at, { user: 'zita', client: 'mail' }));
    expect(found.filter(({ client }) => client?.client_id === 'robber-at-crm')).toMatchObject([{ count: 1 }]);
  });
});

describe('bulk-export', () => {
  const kind = 'bulk-export';
  const night = (holder: Holder, at: number, records: number, calls = 1) => {
    const jti = `${holder.user}-${at}`;
    return [
      issued(jti, at, holder),
      ...many(calls, (nth) => used(jti, at + 10 + nth, { operation: 'export', records })),
    ];
  };
  it('finds a day far over the pair’s own, once, and adds what comes the same day', async () => {
    const at = later();
    const fay = { user: 'fay', client: 'report', agent: 'reporter' };
    await world.after(kind, ...[1, 2, 3].flatMap((day) => night(fay, at + day * DAY, 50)));
    clock += 4 * DAY;
    const found = await world.after(kind, ...night(fay, at + 4 * DAY + 7_200, 3_000, 4));
    expect(found).toMatchObject([
      { user: { sub: 'fay' }, agent: { id: 'reporter' }, count: 4, details: { records: 12_000, usual: 50 } },
    ]);
    expect(await world.after(kind, ...night(fay, at + 4 * DAY + 9_000, 3_000))).toMatchObject([
      { count: 5, details: { records: 15_000 } },
    ]);
  });

  it('does not find a job that reads as much every night, nor a small number however unusual', async () => {
    const at = later();
    clock += 4 * DAY;
    const job = { user: 'job', client: 'backup' };
    const first = await world.after(kind, ...night(job, at, 90_000));
    const found = await world.after(
      kind,
      ...[1, 2, 3].flatMap((day) => night(job, at + day * DAY, 90_000 + day)),
      ...[1, 2, 3].flatMap((day) => night({ user: 'gus', client: 'report' }, at + day * DAY, day === 3 ? 900 : 1)),
    );
    // Others read as much of the resource in a day, so that not even the first night is far over what is usual.
    expect(subs(first)).toEqual(['fay']);
    expect(subs(found)).toEqual(['fay']);
  });
});

describe('scopes-grew', () => {
  const kind = 'scopes-grew';
  const approved = (name: 'connection.created' | 'connection.updated', at: number, scope: string, client = 'docs') =>
    say('idp', name, at, {
      iss: IDP,
      tenant: 'acme',
      idp_client_id: client,
      aud: [CRM_AS],
      client_id: `${client}-at-crm`,
      resource: [CRM],
      scope,
    });
  it('finds an approval that adds a scope, and its first use', async () => {
    const at = later();
    const hal = { user: 'hal', client: 'docs', scope: 'files.read files.export' };
    const found = await world.after(
      kind,
      approved('connection.created', at, 'files.read'),
      issued('hal-1', at + 10, { ...hal, scope: 'files.read' }),
      used('hal-1', at + 20, { scope: 'files.read' }),
      approved('connection.updated', at + 100, 'files.read files.export'),
    );
    expect(found).toMatchObject([
      {
        client: { client_id: 'docs-at-crm' },
        first_seen: timeText(at + 100),
        details: { added: 'files.export', how: 'approved' },
      },
    ]);
    const more = await world.after(
      kind,
      issued('hal-2', at + 200, hal),
      used('hal-2', at + 210, { scope: 'files.export' }),
      used('hal-2', at + 220, { scope: 'files.export' }),
    );
    // One story: the finding of the approval grows.
    expect(more).toMatchObject([
      {
        id: found[0]!.id,
        count: 2,
        first_seen: timeText(at + 100),
        last_seen: timeText(at + 210),
        user: { sub: 'hal' },
        details: { added: 'files.export', used: 'files.export' },
      },
    ]);
  });

  it('does not find a first approval, one that takes a scope away, or the use of what was approved first', async () => {
    const at = later();
    const found = await world.after(
      kind,
      approved('connection.created', at, 'files.read files.write', 'notes'),
      approved('connection.updated', at + 10, 'files.read', 'notes'),
      issued('ian-1', at + 20, { user: 'ian', client: 'notes', scope: 'files.read' }),
      used('ian-1', at + 30, { scope: 'files.read' }),
    );
    expect(found.filter(({ client }) => client?.client_id === 'notes-at-crm')).toEqual([]);
  });
});

describe('new-at-sensitive-resource', () => {
  it('finds a client that exports on its first day, not one that reads, and not one that was there before', async () => {
    const at = later();
    const found = await world.after(
      'new-at-sensitive-resource',
      issued('nat-1', at, { user: 'nat', client: 'fresh-a' }),
      used('nat-1', at + 10, { operation: 'export' }),
      issued('nat-2', at, { user: 'nat', client: 'fresh-b' }),
      used('nat-2', at + 10),
      issued('nat-3', at + DAY, { user: 'nat', client: 'fresh-b' }),
      used('nat-3', at + DAY + 10, { operation: 'delete' }),
    );
    const clients = found.map(({ client }) => client?.client_id);
    expect(clients).toContain('fresh-a-at-crm');
    expect(clients).not.toContain('fresh-b-at-crm');
  });
});

describe('refusals', () => {
  const kind = 'refusals';
  it('finds a burst, with all that was refused', async () => {
    const at = later();
    const found = await world.after(
      kind,
      issued('oda-1', at, { user: 'oda', client: 'probe', agent: 'prober' }),
      used('oda-1', at + 5),
      ...many(25, (nth) => refused('oda-1', at + 10 + nth * 12)),
    );
    expect(found).toMatchObject([
      { user: { sub: 'oda' }, agent: { id: 'prober' }, count: 25, details: { resources: 1, usual: 0 } },
    ]);
  });

  it('finds a burst whose beginning came in an earlier step', async () => {
    const at = later();
    await world.after(
      kind,
      issued('pia-1', at, { user: 'pia', client: 'probe' }),
      ...many(6, (nth) => refused('pia-1', at + nth)),
    );
    expect(subs(await world.list(`&kind=${kind}`))).toEqual(['oda']);
    expect(subs(await world.after(kind, ...many(6, (nth) => refused('pia-1', at + 20 + nth))))).toEqual(['oda', 'pia']);
  });

  it('does not find a few, a slow trickle, refusals among many allowed uses, or a scanner that is refused every day', async () => {
    const at = later();
    clock += DAY;
    await world.after(
      kind,
      issued('quy-1', at, { user: 'quy', client: 'tool' }),
      ...many(20, (nth) => refused('quy-1', at + nth * 170)),
      issued('rex-1', at, { user: 'rex', client: 'tool' }),
      ...many(12, (nth) => [
        used('rex-1', at + nth * 10),
        used('rex-1', at + nth * 10),
        refused('rex-1', at + nth * 10),
      ]).flat(),
      issued('sal-1', at, { user: 'sal', client: 'scanner' }),
      ...many(9, (nth) => refused('sal-1', at + nth)),
      issued('sal-2', at + DAY, { user: 'sal', client: 'scanner' }),
      ...many(12, (nth) => refused('sal-2', at + DAY + nth)),
    );
    expect(subs(await world.list(`&kind=${kind}`))).toEqual(['oda', 'pia']);
  });
});

describe('id-jag-replayed', () => {
  it('finds a second access token of one ID-JAG and a refused replay; not a refreshed one, not another refusal', async () => {
    const at = later();
    const wes = { user: 'wes', client: 'mail' };
    const twice = { id_jag: { ...named('wes'), jti: 'jag-of-wes-1' } };
    const denied = (jti: string, reason: string) =>
      say('crm', 'token.denied', at + 40, {
        iss: CRM_AS,
        id_jag: { iss: IDP, jti },
        client_id: 'mail-at-crm',
        aud: [CRM],
        error: 'invalid_grant',
        reason,
      });
    const found = await world.after(
      'id-jag-replayed',
      issued('wes-1', at, wes),
      issued('wes-2', at + 30, wes, twice),
      issued('wes-3', at, wes),
      issued('wes-3-refresh', at, wes, {
        kind: 'refresh',
        aud: [CRM_AS],
        id_jag: { ...named('wes'), jti: 'jag-of-wes-3' },
      }),
      issued('wes-4', at + 600, wes, { id_jag: { ...named('wes'), jti: 'jag-of-wes-3' } }),
      denied('jag-r', 'the ID-JAG was presented before'),
      denied('jag-s', 'the ID-JAG has expired'),
    );
    expect(found.map(({ details, count }) => [details['how'], count]).sort()).toEqual([
      ['accepted', 1],
      ['refused', 1],
    ]);
  });
});
