import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventDataOf } from '../../../src/contracts/index.js';
import { ACME, say, startQueryApi, T, type Said } from './history.js';
import { sayOwn } from './own-entries.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI } from './story.js';

/** The day of the history ends 35,200 s after T. */
const DAY_END = 35_200;
const LEFT = 40_000;
const ALICE = `user_iss=${IDP}&user_tenant=acme&user_sub=alice`;
const CLIENT = `client_iss=${CRM_AS}&client_id=assistant-at-crm`;

const alice = { sub: 'alice', tenant: 'acme' };
const idJag = {
  iss: IDP,
  jti: 'j1',
  ...alice,
  client_id: 'assistant-at-crm',
  iat: T + 10,
  exp: T + 310,
  sid: 's1',
  agent: AGENT,
};
const issued: EventDataOf['token.issued'] = {
  kind: 'access',
  iss: CRM_AS,
  jti: 't1',
  sub: 'crm-alice',
  client_id: 'assistant-at-crm',
  aud: [CRM],
  scope: 'contacts.read',
  iat: T + 20,
  exp: T + 80_000,
  id_jag: idJag,
};
const connection = {
  iss: IDP,
  tenant: 'acme',
  idp_client_id: 'assistant',
  aud: [CRM_AS],
  client_id: 'assistant-at-crm',
  resource: [CRM],
  scope: 'contacts.read',
  agent: AGENT,
};
const used = (at: number, name: 'access.allowed' | 'access.denied', more: object = {}): Said =>
  say('crm', name, T + at, { token: { iss: CRM_AS, jti: 't1' }, operation: 'read', route: '/contacts', ...more });

/** A leaver: her sessions end and she is disabled on the second day, her agent goes on, and she comes back. */
const LEAVER: readonly (readonly Said[])[] = [
  [
    /* 0 */ say('idp', 'connection.created', T, connection),
    /* 1 */ say('idp', 'id-jag.issued', T + 10, {
      ...idJag,
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read',
    }),
    /* 2 */ say('crm', 'token.issued', T + 20, issued),
  ],
  [
    /* 3 */ used(30, 'access.allowed', { records: 1, bytes: 100 }),
    /* 4 */ used(50, 'access.allowed', { records: 2, bytes: 200, operation: 'export' }),
    /* 5 */ used(40, 'access.denied'),
    /* 6 */ say('crm', 'access.summary', T + 36_060, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      outcome: 'allowed',
      count: 40,
      from: T + 36_000,
      to: T + 36_060,
    }),
    /* 7, in the second in which she leaves */ used(LEFT, 'access.allowed'),
    /* 8 */ used(LEFT + 10, 'access.allowed'),
    /* 9 */ used(LEFT + 5, 'access.allowed', { records: 7 }),
    /* 10 */ say('idp', 'user.disabled', T + LEFT, { iss: IDP, ...alice }),
    /* 11 */ say('idp', 'session.ended', T + LEFT - 5, { iss: IDP, sid: 's1', ...alice }),
    /* 12 */ say('idp', 'id-jag.denied', T + LEFT + 20, {
      iss: IDP,
      ...alice,
      client_id: 'assistant-at-crm',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      error: 'access_denied',
      reason: 'the user is disabled',
    }),
    /* 13 */ used(LEFT + 30, 'access.allowed'),
    /* 14 */ say('crm', 'token.denied', T + LEFT + 40, {
      iss: CRM_AS,
      id_jag: { iss: IDP, jti: 'j1', ...alice },
      client_id: 'assistant-at-crm',
      error: 'invalid_grant',
    }),
    /* 15 */ say('idp', 'user.enabled', T + LEFT + 100, { iss: IDP, ...alice }),
  ],
];

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(LEAVER);
  const author = { caller: 'acme-revoke', on_behalf_of: 'sam' };
  const ordered = { effect: 'block', reauthenticate: false, reason: 'left', author } as const;
  const user = { iss: IDP, ...alice };
  const own = <N extends 'revocation.ordered' | 'revocation.lifted'>(name: N, at: number, data: EventDataOf[N]) =>
    sayOwn(api.pool, ACME, name, (T + at) * 1_000 + 500, data);
  // 16 to 20: the rules, in any order.
  await own('revocation.ordered', LEFT + 50, { ...ordered, rule: 'r-lifted', seq: '11', selector: { user } });
  await own('revocation.lifted', LEFT + 60, {
    rule: 'r-lifted',
    seq: '12',
    at: T + LEFT + 60,
    resume: true,
    author: { caller: 'acme-revoke' },
  });
  await own('revocation.ordered', LEFT + 55, {
    ...ordered,
    rule: 'r-expired',
    seq: '13',
    selector: { session: { iss: IDP, sid: 's1' } },
    until: T + LEFT + 200,
  });
  await own('revocation.ordered', LEFT + 70, { ...ordered, rule: 'r-issuer', seq: '14', selector: { issuer: IDP } });
  await own('revocation.ordered', LEFT + 71, {
    ...ordered,
    rule: 'r-other',
    seq: '15',
    selector: { user: { ...user, sub: 'bob' }, client: { iss: CRM_AS, client_id: 'assistant-at-crm' } },
  });
});
afterAll(() => api.stop());

const ask = async (query: string, caller = 'acme-audit') => api.get(`/v1/timeline?${query}`, caller);
async function pagesOf(query: string, limit: number): Promise<any[]> {
  const items: any[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await ask(`${query}&limit=${limit}${cursor}`);
    expect([status, body.detail]).toEqual([200, undefined]);
    items.push(...body.items);
    if (body.next === undefined) return items;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
}
const epoch = (time: number | string): number => (typeof time === 'number' ? time : Date.parse(time) / 1_000);
/** A line as a person reads it: its time since T, and what happened. */
function read(item: any): string {
  const what = {
    use: () => `${item.accesses} ${item.outcome} ${epoch(item.first) - T}..${epoch(item.last) - T}`,
    grant: () => `${item.what} ${item.grants} ${item.scopes_added}`,
    rule: () => `${item.what} ${item.rule}${item.resumes ? ' resumes' : ''}`,
    account: () => item.event,
    connection: () => item.event,
    denial: () => `${item.event} ${item.error}`,
    conflict: () => item.of,
    name: () => item.user?.sub,
  }[item.kind as string]!();
  return `${['grant', 'name'].includes(item.kind) ? 'arrived' : epoch(item.at) - T} ${item.kind} ${what}`;
}
const story = async (query: string): Promise<string[]> => (await pagesOf(query, 100)).map(read);

const TOLD = [
  `${LEFT + 200} rule expired r-expired`,
  `${LEFT + 100} account user.enabled`,
  `${LEFT + 70} rule ordered r-issuer`,
  `${LEFT + 60} rule lifted r-lifted resumes`,
  `${LEFT + 55} rule ordered r-expired`,
  `${LEFT + 50} rule ordered r-lifted`,
  `${LEFT + 40} denial token.denied invalid_grant`,
  `${LEFT + 30} use 3 allowed ${LEFT + 5}..${LEFT + 30}`,
  `${LEFT + 20} denial id-jag.denied access_denied`,
  `${LEFT} account user.disabled`,
  `${LEFT} use 1 allowed ${LEFT}..${LEFT}`,
  `${LEFT - 5} account session.ended`,
  `36000 use 40 allowed 36000..36060`,
  `50 use 2 allowed 30..50`,
  `40 use 1 denied 40..40`,
];

describe('GET /v1/timeline', () => {
  it('tells the story of a leaver from top to bottom', async () => {
    // The history arrives now, years after the clock of the questions: its grants stand above it.
    expect(await story(`${ALICE}&kind=rule,account,connection,denial,conflict,use`)).toEqual(TOLD);
    const [use] = (await ask(`${ALICE}&kind=use&to=${T + DAY_END}`)).body.items;
    expect(use).toMatchObject({
      outcome: 'allowed',
      index: '4',
      client: { client_id: 'assistant-at-crm' },
      resource: { uri: CRM },
      agent: { id: AGENT.id },
      operations: { read: 1, write: 0, delete: 0, export: 1, admin: 0 },
      records: 3,
      bytes: 300,
    });
    const lines = (await ask(ALICE)).body.items;
    expect(lines.find((line: any) => line.event === 'id-jag.denied')).toMatchObject({
      index: '12',
      source: { name: 'idp' },
      user: { sub: 'alice' },
      client: { client_id: 'assistant-at-crm' },
      agent: null,
      resources: [{ uri: CRM }],
      reason: 'the user is disabled',
    });
    expect(lines.find((line: any) => line.rule === 'r-lifted' && line.what === 'ordered')).toMatchObject({
      effect: 'block',
      reason: 'left',
      selector: { user: { sub: 'alice' } },
      by: { caller: 'acme-revoke', on_behalf_of: 'sam' },
      index: '16',
    });
  });

  it.each([1, 2, 3, 5])('gives the same lines in pages of %d', async (limit) => {
    for (const query of [ALICE, `${ALICE}&by=hour`, CLIENT, `${ALICE}&kind=use,grant`, `resource=${CRM}`])
      expect(await pagesOf(query, limit)).toEqual(await pagesOf(query, 100));
  });

  it('shows grants where they became known', async () => {
    const [grant, ...others] = (await ask(`${ALICE}&kind=grant`)).body.items;
    expect(others).toEqual([]);
    expect(grant).toMatchObject({
      what: 'granted',
      index: '1',
      grants: 1,
      user: { sub: 'alice' },
      client: { client_id: 'assistant-at-crm' },
      agent: { id: AGENT.id },
      resource: { uri: CRM },
      scopes_added: ['contacts.read'],
    });
    expect((await ask(`${ALICE}&kind=name,grant`)).body.items.map(read)).toEqual([
      'arrived grant granted 1 contacts.read',
      'arrived name crm-alice',
      'arrived name alice',
    ]);
  });

  it('is of all names of a user or client, and of agents and resources', async () => {
    const local = `user_iss=${CRM_AS}&user_sub=crm-alice`;
    expect(await pagesOf(local, 100)).toEqual(await pagesOf(ALICE, 100));
    const ofClient = [
      `${LEFT + 71} rule ordered r-other`,
      `${LEFT + 70} rule ordered r-issuer`,
      `${LEFT + 40} denial token.denied invalid_grant`,
      `${LEFT + 20} denial id-jag.denied access_denied`,
      `${LEFT + 30} use 4 allowed ${LEFT}..${LEFT + 30}`,
      `36000 use 40 allowed 36000..36060`,
      `50 use 2 allowed 30..50`,
      `40 use 1 denied 40..40`,
      `0 connection connection.created`,
    ].sort();
    const notGrants = 'kind=rule,account,connection,denial,conflict,use';
    // Nothing but rules cuts a client's runs here: a use of all days is one run a day.
    const merged = ofClient.filter((line) => !line.includes(' use 4') && !line.startsWith('36000'));
    const run = `${LEFT + 30} use 44 allowed 36000..${LEFT + 30}`;
    for (const query of [CLIENT, `client_iss=${IDP}&client_id=assistant`])
      expect((await story(`${query}&${notGrants}`)).sort()).toEqual([...merged, run].sort());
    const ofAgent = merged.filter((line) => !line.includes('denial') && !line.includes('r-other'));
    expect((await story(`agent_iss=${IDP}&agent_id=${AGENT.id}&${notGrants}`)).sort()).toEqual(
      [...ofAgent, run].sort(),
    );
    const ofResource = merged.filter((line) => !line.includes('rule') && !line.includes('token.denied'));
    expect((await story(`resource=${CRM}&${notGrants}`)).sort()).toEqual([...ofResource, run].sort());
    expect((await pagesOf(`${CLIENT}&kind=grant`, 100)).map(({ grants }) => grants)).toEqual([1]);
    expect(
      (await pagesOf(`agent_iss=${IDP}&agent_id=${AGENT.id}&kind=grant`, 100)).map(({ grants }) => grants),
    ).toEqual([1]);
    expect((await pagesOf(`resource=${CRM}&kind=grant`, 100)).map(({ grants }) => grants)).toEqual([1]);
  });

  it('keeps to kinds and a window; a run is the same under every kind', async () => {
    for (const kind of ['rule', 'account', 'denial', 'use'])
      expect(await story(`${ALICE}&kind=${kind}`)).toEqual(TOLD.filter((line) => line.split(' ')[1] === kind));
    expect(await story(`${ALICE}&from=${T + LEFT - 5}&to=${T + LEFT + 50}`)).toEqual(TOLD.slice(6, 12));
    // A window cuts runs as it cuts counts.
    expect(await story(`${ALICE}&from=${T + LEFT + 10}&to=${T + LEFT + 20}`)).toEqual([
      `${LEFT + 10} use 1 allowed ${LEFT + 10}..${LEFT + 10}`,
    ]);
  });

  it('folds by hour', async () => {
    expect((await story(`${ALICE}&kind=use&by=hour&to=${T + DAY_END}`)).at(0)).toBe('50 use 2 allowed 30..50');
  });

  it('is as of any moment', async () => {
    expect(await story(`${ALICE}&as_of=6&kind=use,account`)).toEqual([
      '50 use 2 allowed 30..50',
      '40 use 1 denied 40..40',
    ]);
    expect(await story(`${ALICE}&as_of=5&kind=use,account`)).toEqual(['50 use 2 allowed 30..50']);
    expect(await story(`${ALICE}&as_of=11&kind=account`)).toEqual([`${LEFT} account user.disabled`]);
    expect(await story(`${ALICE}&as_of=17&kind=rule`)).toEqual([`${LEFT + 50} rule ordered r-lifted`]);
    expect((await ask(`${ALICE}&as_of=1`)).status).toBe(404);
  });

  it('adds up to the counts of accesses', async () => {
    for (const subject of [ALICE, CLIENT, `agent_iss=${IDP}&agent_id=${AGENT.id}`, `resource=${CRM}`]) {
      for (const asOf of ['', '&as_of=5', '&as_of=14']) {
        const from = Math.floor(T / 3_600) * 3_600;
        const window = `from=${from}&to=${from + 13 * 3_600}${asOf}`;
        const lines = await pagesOf(`${subject}&kind=use&${window}`, 2);
        const { total } = (await api.get(`/v1/access/counts?${subject}&${window}`)).body;
        const sum = (outcome: string) =>
          lines.filter((line) => line.outcome === outcome).reduce((n, { accesses }) => n + accesses, 0);
        expect([subject, asOf, sum('allowed'), sum('denied')]).toEqual([subject, asOf, total.allowed, total.denied]);
        expect(total.accesses > 0).toBe(true);
      }
    }
  });

  it.each([
    ['', 'inconsistent-request'],
    [`${ALICE}&resource=${CRM}`, 'inconsistent-request'],
    [`${ALICE}&kind=`, 'invalid-request'],
    [`${ALICE}&kind=use,`, 'invalid-request'],
    [`${ALICE}&kind=entry`, 'invalid-request'],
    [`${ALICE}&by=week`, 'invalid-request'],
    [`${ALICE}&operation=read`, 'invalid-request'],
    [`${ALICE}&from=${T}&to=${T}`, 'inconsistent-request'],
    [`${ALICE}&as_of=9999`, 'as-of-out-of-range'],
    [`user_iss=${IDP}`, 'inconsistent-request'],
  ])('refuses %s: %s', async (query, code) => {
    const { status, body } = await ask(query);
    expect([status, body.code]).toEqual([400, code]);
  });

  it('is of the asking tenant alone', async () => {
    for (const query of [ALICE, CLIENT, `resource=${WIKI}`])
      expect([query, (await ask(query, 'globex-audit')).status]).toEqual([query, 404]);
    const { body } = await ask(`${ALICE}&limit=1`);
    expect((await ask(`${ALICE}&limit=1&cursor=${body.next}`, 'globex-audit')).body.code).toBe('invalid-cursor');
    expect((await ask(`${CLIENT}&limit=1&cursor=${body.next}`)).body.code).toBe('invalid-cursor');
  });

  it('shows a contradiction, and a grant that grew', async () => {
    await api.say([
      say('crm', 'token.issued', T + LEFT + 300, { ...issued, client_id: 'somebody-else' }),
      say('crm', 'token.issued', T + LEFT + 301, { ...issued, jti: 't2', scope: 'contacts.read contacts.write' }),
    ]);
    const lines = (await ask(`${ALICE}&kind=conflict,grant`)).body.items;
    expect(lines).toMatchObject([
      { kind: 'conflict', of: 'token', user: { sub: expect.any(String) }, client: { client_id: 'assistant-at-crm' } },
      { kind: 'grant', what: 'grew', scopes_added: ['contacts.write'] },
      { kind: 'grant', what: 'granted', client: { client_id: 'somebody-else' } },
      { kind: 'grant', what: 'granted', client: { client_id: 'assistant-at-crm' } },
    ]);
    expect((await api.get(`/v1/tokens/${lines[0].id}`)).status).toBe(200);
  });

  it('tells when an enabling ended the block of its source', async () => {
    const cause = { source: 'https://idp.example', id: await eventId(10) };
    await sayOwn(api.pool, ACME, 'revocation.ordered', (T + LEFT + 1) * 1_000, {
      rule: 'r-idp',
      seq: '21',
      effect: 'block',
      selector: { user: { iss: IDP, ...alice }, issuer: IDP },
      reauthenticate: false,
      reason: 'user.disabled',
      author: { caller: 'idp' },
      cause,
    });
    const lines = (await story(`${ALICE}&kind=rule`)).filter((line) => line.endsWith('r-idp'));
    expect(lines).toEqual([`${LEFT + 100} rule enabled r-idp`, `${LEFT + 1} rule ordered r-idp`]);
  });
});

/** The id that its source gave an event. */
const eventId = async (ix: number): Promise<string> => {
  const { rows } = await api.pool.query('SELECT event_id FROM rule_event WHERE tenant = $1 AND ix = $2', [ACME, ix]);
  return rows[0].event_id;
};
