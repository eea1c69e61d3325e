import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventDataOf } from '../../../src/contracts/index.js';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, say, SOURCES, startQueryApi, T, tokenId, type Said } from './history.js';
import { sayOwn } from './own-entries.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI, WIKI_AS } from './story.js';

const keyOfToken = (iss: string, jti: string): string => tokenId(ruleKey(keyOf(ACME), 'token', [iss, jti]));
const T1 = `token=${keyOfToken(CRM_AS, 't1')}`;
const T2 = `token=${keyOfToken(WIKI_AS, 't2')}`;
const UNKNOWN = `token=${keyOfToken(CRM_AS, 'nobody-knows')}`;
const ALICE = `user_iss=${IDP}&user_tenant=acme&user_sub=alice`;
const BOB = `user_iss=${IDP}&user_tenant=acme&user_sub=bob`;

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
const issued = {
  kind: 'access' as const,
  iss: CRM_AS,
  jti: 't1',
  sub: 'crm-alice',
  client_id: 'assistant-at-crm',
  aud: [CRM],
  scope: 'contacts.read',
  iat: T + 20,
  exp: T + 900,
  id_jag: idJag,
};
const used = (at: number, jti: string, name: 'access.allowed' | 'access.denied' = 'access.allowed'): Said =>
  say('crm', name, T + at, { token: { iss: CRM_AS, jti }, operation: 'read', records: 2 });

/** One token of an ID-JAG, a second hop of it, and a token of which only uses came. */
const HOPS: readonly (readonly Said[])[] = [
  [
    /* 0, before anybody says whose token it is */ used(25, 't1'),
    /* 1 */ say('idp', 'id-jag.issued', T + 10, {
      ...idJag,
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read',
    }),
  ],
  [
    /* 2 */ say('crm', 'token.issued', T + 20, issued),
    /* 3 */ used(30, 't1'),
    /* 4 */ used(50, 't1', 'access.denied'),
    /* 5 */ say('wiki', 'token.issued', T + 60, {
      kind: 'access',
      iss: WIKI_AS,
      jti: 't2',
      client_id: 'crm-at-wiki',
      aud: [WIKI],
      iat: T + 60,
      exp: T + 900,
      parent: { iss: CRM_AS, jti: 't1' },
    }),
    /* 6 */ say('wiki', 'access.allowed', T + 70, { token: { iss: WIKI_AS, jti: 't2' }, operation: 'read' }),
    /* 7 */ used(80, 'nobody-knows'),
    /* 8 */ say('idp', 'user.disabled', T + 100, { iss: IDP, ...alice }),
    /* 9 */ say('idp', 'session.ended', T + 105, { iss: IDP, sid: 's1', ...alice }),
    /* 10 */ say('idp', 'session.ended', T + 106, { iss: IDP, sid: 's-other', ...alice }),
    /* 11 */ used(110, 't1'),
    /* 12, of somebody else with a client of her own */ say('crm', 'token.issued', T + 20, {
      ...issued,
      jti: 't3',
      sub: 'crm-bob',
      client_id: 'mailer-at-crm',
      id_jag: {
        iss: IDP,
        jti: 'j3',
        sub: 'bob',
        tenant: 'acme',
        client_id: 'mailer-at-crm',
        iat: T + 10,
      },
    }),
  ],
];

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(HOPS);
  const RULES: Readonly<Record<string, EventDataOf['revocation.ordered']['selector']>> = {
    'r-session': { session: { iss: IDP, sid: 's1' } },
    'r-idp-client': { client: { iss: IDP, client_id: 'assistant' } },
    'r-client-of-bob': {
      client: { iss: CRM_AS, client_id: 'assistant-at-crm' },
      user: { iss: IDP, tenant: 'acme', sub: 'bob' },
    },
    'r-agent': { agent: { iss: IDP, id: AGENT.id }, resource: CRM },
    'r-type': { agent_type: AGENT.type },
    'r-other-type': { agent_type: 'other' },
    'r-token': { token: { iss: CRM_AS, jti: 't1' } },
    'r-ras': { issuer: CRM_AS },
    'r-wiki': { resource: WIKI },
  };
  for (const [nth, [rule, selector]] of Object.entries(RULES).entries())
    await sayOwn(api.pool, ACME, 'revocation.ordered', (T + 200 + nth) * 1_000, {
      rule,
      seq: String(11 + nth),
      effect: 'token' in selector || 'session' in selector ? 'revoke' : 'block',
      selector,
      reauthenticate: false,
      reason: 'spec',
      author: { caller: 'acme-revoke' },
    });
  const refused = (jti: string, at: number, reason: string, member = '') =>
    api.pool.query('INSERT INTO refused_token VALUES ($1, $2, $3, $4, 1, $5, 7, 0, $6)', [
      ACME,
      SOURCES.crm.id,
      reason,
      member,
      Buffer.from(keyOfToken(CRM_AS, jti), 'base64url'),
      (T + at) * 1_000 + 20,
    ]);
  await refused('t1', 300, 'stopped-by-rule');
  await refused('t1', 320, 'mismatch', 'aud');
  await refused('t3', 310, 'expired');
});
afterAll(() => api.stop());

const ask = async (query: string, caller = 'acme-audit') => api.get(`/v1/timeline?${query}`, caller);
async function pagesOf(query: string, limit = 100): Promise<any[]> {
  const items: any[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await ask(`${query}&limit=${limit}${cursor}`);
    expect([status, body.detail]).toEqual([200, undefined]);
    items.push(...body.items);
    if (body.next === undefined) return items;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
}
const since = (time: string): number => Date.parse(time) / 1_000 - T;
const read = (item: any): string => {
  const what: string = {
    use: () => `${item.accesses} ${item.outcome} of ${item.client?.client_id}`,
    rule: () => `${item.what} ${item.rule}`,
    account: () => `${item.event} ${item.sid ?? ''}`.trim(),
    issued: () => `${item.of} ${item.client.client_id} ${item.user?.sub}`,
    refusal: () => `${item.reason} ${item.member} ${item.user?.sub}`,
    name: () => '',
    grant: () => '',
  }[item.kind as string]!();
  return `${['grant', 'name'].includes(item.kind) ? 'arrived' : since(item.at)} ${item.kind} ${what}`;
};
const story = async (query: string): Promise<string[]> => (await pagesOf(query)).map(read);

describe('the timeline of a token', () => {
  it('tells how it was issued, what it did, what stops it and why it was refused', async () => {
    expect(await story(T1)).toEqual([
      '320 refusal mismatch aud alice',
      '300 refusal stopped-by-rule null alice',
      '207 rule ordered r-ras',
      '206 rule ordered r-token',
      '204 rule ordered r-type',
      '203 rule ordered r-agent',
      '201 rule ordered r-idp-client',
      '200 rule ordered r-session',
      '110 use 1 allowed of assistant-at-crm',
      '105 account session.ended s1',
      '100 account user.disabled',
      '50 use 1 denied of assistant-at-crm',
      '30 use 2 allowed of assistant-at-crm',
      '20 issued token assistant-at-crm alice',
      '10 issued id_jag assistant-at-crm alice',
    ]);
    const lines = await pagesOf(T1);
    expect(lines.find(({ kind }) => kind === 'refusal')).toMatchObject({
      index: null,
      token: keyOfToken(CRM_AS, 't1'),
      source: { name: 'crm' },
      client: { client_id: 'assistant-at-crm' },
      says: expect.stringContaining('`aud`'),
    });
    expect(lines.find(({ kind, of }) => kind === 'issued' && of === 'token')).toMatchObject({
      index: '2',
      id: keyOfToken(CRM_AS, 't1'),
      source: { name: 'crm' },
      agent: { id: AGENT.id },
      resources: [{ uri: CRM }],
      scope: 'contacts.read',
    });
  });

  it('has what a second hop came from, and the rules on that', async () => {
    const lines = await story(`${T2}&kind=rule,issued,use`);
    expect(lines).toEqual([
      '208 rule ordered r-wiki',
      '207 rule ordered r-ras',
      '206 rule ordered r-token',
      '204 rule ordered r-type',
      '203 rule ordered r-agent',
      '201 rule ordered r-idp-client',
      '200 rule ordered r-session',
      '70 use 1 allowed of crm-at-wiki',
      '60 issued token crm-at-wiki undefined',
      '20 issued token assistant-at-crm alice',
      '10 issued id_jag assistant-at-crm alice',
    ]);
  });

  it('has the uses of a token of which nobody has said whose it is', async () => {
    expect(await story(UNKNOWN)).toEqual(['80 use 1 allowed of undefined']);
    const [use] = await pagesOf(UNKNOWN);
    expect([use.client, use.user, use.resource.uri]).toEqual([null, null, CRM]);
    // As of a moment before the token was announced, its use is nobody's either.
    expect(await story(`${T1}&as_of=1`)).toEqual(['25 use 1 allowed of undefined']);
    expect(await story(`${T1}&as_of=4&kind=use,issued`)).toEqual([
      '30 use 2 allowed of assistant-at-crm',
      '20 issued token assistant-at-crm alice',
      '10 issued id_jag assistant-at-crm alice',
    ]);
  });

  it.each([1, 2, 3])('gives the same lines in pages of %d', async (limit) => {
    for (const query of [T1, T2, UNKNOWN, `${T1}&by=hour`])
      expect(await pagesOf(query, limit)).toEqual(await pagesOf(query));
  });

  it('adds up to the counts of its accesses', async () => {
    const from = Math.floor(T / 3_600) * 3_600;
    for (const token of [T1, T2, UNKNOWN]) {
      const window = `from=${from}&to=${from + 13 * 3_600}`;
      const uses = await pagesOf(`${token}&kind=use&${window}`);
      const { total } = (await api.get(`/v1/access/counts?${token}&${window}`)).body;
      expect([uses.reduce((sum, { accesses }) => sum + accesses, 0), total.accesses > 0]).toEqual([
        total.accesses,
        true,
      ]);
    }
  });

  it.each([
    [`token=${keyOfToken(CRM_AS, 'never-seen')}`, 404, 'not-found'],
    ['token=x', 400, 'invalid-request'],
    [`${T1}&${ALICE}`, 400, 'inconsistent-request'],
  ])('refuses %s', async (query, status, code) => {
    const answer = await ask(query);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('is of the asking tenant alone', async () => {
    for (const query of [T1, UNKNOWN]) expect((await ask(query, 'globex-audit')).status).toBe(404);
  });
});

describe('the timeline of a user who is refused', () => {
  it('shows the rules on clients, agents and resources of her grants, and no others', async () => {
    expect(await story(`${ALICE}&kind=rule`)).toEqual([
      '207 rule ordered r-ras',
      '204 rule ordered r-type',
      '203 rule ordered r-agent',
      '201 rule ordered r-idp-client',
      '200 rule ordered r-session',
    ]);
    expect(await story(`${BOB}&kind=rule`)).toEqual(['207 rule ordered r-ras', '202 rule ordered r-client-of-bob']);
  });

  it('shows the type of an agent among the rules on it', async () => {
    expect(await story(`agent_iss=${IDP}&agent_id=${AGENT.id}&kind=rule`)).toEqual([
      '204 rule ordered r-type',
      '203 rule ordered r-agent',
    ]);
  });

  it('shows the refusals of her tokens by introspection', async () => {
    expect(await story(`${ALICE}&kind=refusal`)).toEqual([
      '320 refusal mismatch aud alice',
      '300 refusal stopped-by-rule null alice',
    ]);
    expect(await story(`${BOB}&kind=refusal`)).toEqual(['310 refusal expired null bob']);
    const client = `client_iss=${CRM_AS}&client_id=assistant-at-crm`;
    expect(await story(`${client}&kind=refusal&to=${T + 310}`)).toEqual(['300 refusal stopped-by-rule null alice']);
    expect(await story(`resource=${CRM}&kind=refusal`)).toHaveLength(3);
    for (const query of [`${ALICE}&kind=refusal,use`, `resource=${CRM}&kind=refusal`])
      expect(await pagesOf(query, 1)).toEqual(await pagesOf(query));
  });
});
