import { instantText, timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, NOW, secretOf, sha256, startQueryApi, tokenId } from './history.js';
import { AFTER_RULE, BEFORE_RULE, BOB, R1, RULE_1, T2, W } from './incident-story.js';
import { sayOwn } from './own-entries.js';
import { AGENT, IDP, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(BEFORE_RULE);
  await sayOwn(api.pool, ACME, 'revocation.ordered', (W + 100) * 1000, RULE_1);
  await api.say(AFTER_RULE);
});
afterAll(() => api.stop());

const entity = expect.any(Number);
const ID_2 = tokenId(ruleKey(keyOf(ACME), 'token', [sha256(T2)]));
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');
const text = async (path: string) => {
  const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${secretOf('acme-audit')}` } });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    file: response.headers.get('content-disposition'),
    text: await response.text(),
  };
};

describe('access review', () => {
  const ofWiki = `/v1/reports/access-review?resource=${WIKI}`;
  const grant = {
    user: { entity, ...BOB },
    client: { entity, iss: WIKI_AS, client_id: 'assistant-at-wiki' },
    agent: { entity, iss: IDP, id: AGENT.id },
    resource: { entity, uri: WIKI },
    granted_scopes: ['pages.read'],
    first_granted: { index: '5', at: expect.any(String) },
  };

  it('lists the grants of a resource', async () => {
    const { status, body } = await api.get(ofWiki);
    expect(status).toBe(200);
    expect(body).toEqual({
      as_of: { index: '11', at: timeText(NOW) },
      items: [
        {
          ...grant,
          used_scopes: ['pages.read'],
          last_used: timeText(W + 111),
          uses_30_days: 42,
          uses_90_days: 42,
          rules: [R1],
        },
      ],
    });
  });

  it.each([
    ['6', { used_scopes: [], last_used: null, uses_30_days: 0, uses_90_days: 0, rules: [] }],
    ['7', { used_scopes: ['pages.read'], last_used: timeText(W + 20), uses_30_days: 1, uses_90_days: 1, rules: [] }],
    [
      '9',
      { used_scopes: ['pages.read'], last_used: timeText(W + 60), uses_30_days: 41, uses_90_days: 41, rules: [R1] },
    ],
  ])('as of %s', async (index, expected) => {
    const { body } = await api.get(`${ofWiki}&as_of=${index}`);
    expect(body).toEqual({ as_of: { index, at: expect.any(String) }, items: [{ ...grant, ...expected }] });
  });

  it('lists the grants of a user as CSV', async () => {
    const sut = await text(`/v1/reports/access-review?user_iss=${IDP}&user_tenant=acme&user_sub=bob&format=csv`);
    expect({ ...sut, text: sut.text.split('\r\n') }).toEqual({
      status: 200,
      type: 'text/csv; charset=utf-8; header=present',
      file: 'attachment; filename="access-review-user-as-of-11.csv"',
      text: [
        'user_issuer,user_tenant,user,client_issuer,client,agent_issuer,agent,resource,granted_scopes,used_scopes,first_granted_index,first_granted_at,last_used_at,uses_30_days,uses_90_days,rules',
        expect.stringMatching(
          new RegExp(
            `^${IDP},acme,bob,${WIKI_AS},assistant-at-wiki,${IDP},agent-7,${WIKI},pages.read,pages.read,5,20[0-9-]+T[0-9:]+Z,${iso(W + 111)},42,42,${R1}$`,
          ),
        ),
        '',
      ],
    });
  });

  it('is empty for a user without grants, and not found for an unknown user', async () => {
    const { rows } = await api.pool.query<{ id: number }>(
      `SELECT id FROM entity WHERE tenant = $1 AND kind = 5 AND parts ->> 0 = $2`,
      [ACME, WIKI],
    );
    expect((await api.get(`/v1/reports/access-review?resource=${rows[0]!.id}&as_of=5`)).body.items).toEqual([]);
    expect((await api.get(`/v1/reports/access-review?user_iss=${IDP}&user_sub=nobody`)).body.code).toBe('not-found');
  });
});

describe('incident report', () => {
  const path = `/v1/reports/incident?rule=${R1}&since=${W}`;

  it('gives the whole answer about a rule, worked out by hand', async () => {
    const { status, body } = await api.get(path);
    expect(status).toBe(200);
    expect(body).toEqual({
      as_of: { index: '11', at: timeText(NOW) },
      rule: {
        id: R1,
        entry: '8',
        seq: '900',
        selector: { user: BOB },
        effect: 'block',
        ordered_at: instantText((W + 100) * 1000),
        counts_from: instantText((W + 100) * 1000),
        recorded_at: expect.any(String),
        reason: '=bulk export',
        author: { caller: 'acme-revoke', on_behalf_of: 'eve' },
        cause: null,
        ended: null,
        lifted: null,
      },
      hit: {
        live_tokens: 1,
        newest: [
          {
            id: ID_2,
            index: '6',
            user: { entity, ...BOB },
            client: { entity, iss: WIKI_AS, client_id: 'assistant-at-wiki' },
            agent: { entity, iss: IDP, id: AGENT.id },
            issued_at: timeText(W + 6),
            expires_at: timeText(W + 90_000),
          },
        ],
        left_out: 0,
      },
      since: timeText(W),
      before: { allowed: 41, denied: 0, records: 407, bytes: 9_000, first: timeText(W + 20), last: timeText(W + 60) },
      after: {
        allowed: 1,
        denied: 1,
        records: 2,
        bytes: 64,
        first: timeText(W + 110),
        last: timeText(W + 111),
        newest: [
          {
            index: '10',
            at: timeText(W + 111),
            count: 1,
            outcome: 'allowed',
            operation: 'read',
            resource: { entity, uri: WIKI },
            token: ID_2,
          },
          {
            index: '9',
            at: timeText(W + 110),
            count: 1,
            outcome: 'denied',
            operation: 'export',
            resource: { entity, uri: WIKI },
            token: ID_2,
          },
        ],
        left_out: 0,
      },
      confirmations: { known: false, nodes: [] },
    });
  });

  it('answers as of the entry after the rule, and before it', async () => {
    expect((await api.get(`${path}&as_of=9`)).body).toMatchObject({
      hit: { live_tokens: 1 },
      before: { allowed: 41 },
      after: { allowed: 0, denied: 0, newest: [] },
    });
    expect((await api.get(`${path}&as_of=8`)).body.code).toBe('not-found');
  });

  it('counts less from a later `since`', async () => {
    expect((await api.get(`${path.replace(`since=${W}`, `since=${W + 25}`)}`)).body.before).toMatchObject({
      allowed: 40,
      records: 400,
    });
  });

  it('comes as CSV without anything that a spreadsheet would run', async () => {
    const sut = await text(`${path}&format=csv`);
    expect([sut.status, sut.type]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(sut.text.split('\r\n').map((line) => line.replace(/20\d\d-[0-9T:.-]+Z/g, 'TIME'))).toEqual([
      'section,at,index,what,outcome,count,records,bytes,detail',
      `rule,TIME,8,${R1},block,,,,"${JSON.stringify({ user: { iss: IDP, sub: 'bob', tenant: 'acme' } }).replaceAll('"', '""')}"`,
      "reason,TIME,8,eve,,,,,'=bulk export",
      'hit,,,live tokens,,1,,,',
      `token,TIME,6,${ID_2},,1,,,bob assistant-at-wiki`,
      'before,TIME,,allowed,allowed,41,407,9000,',
      'before,,,denied,denied,0,,,',
      'after,TIME,,allowed,allowed,1,2,64,',
      'after,,,denied,denied,1,,,',
      `use after,TIME,10,${ID_2},allowed,1,,,read ${WIKI}`,
      `use after,TIME,9,${ID_2},denied,1,,,export ${WIKI}`,
      '',
    ]);
  });
});

describe('a report that is refused', () => {
  it.each([
    ['/v1/reports/access-review', 400, 'inconsistent-request'],
    [`/v1/reports/access-review?resource=${WIKI}&user=1`, 400, 'inconsistent-request'],
    [`/v1/reports/access-review?resource=${WIKI}&format=xml`, 400, 'invalid-request'],
    [`/v1/reports/access-review?resource=${WIKI}&limit=1`, 400, 'invalid-request'],
    [`/v1/reports/access-review?resource=${WIKI}&resource=b`, 400, 'invalid-request'],
    [`/v1/reports/access-review?resource=${WIKI}&as_of=99`, 400, 'as-of-out-of-range'],
    ['/v1/reports/access-review?resource=urn:nothing&format=csv', 404, 'not-found'],
    ['/v1/reports/incident', 400, 'invalid-request'],
    ['/v1/reports/incident?rule=none', 404, 'not-found'],
    [`/v1/reports/incident?rule=${R1}&since=${W + 101}`, 400, 'inconsistent-request'],
    [`/v1/reports/incident?rule=${R1}&since=x`, 400, 'invalid-request'],
    [`/v1/reports/incident?rule=${R1}&format=pdf`, 400, 'invalid-request'],
    [`/v1/reports/incident?rule=${R1}&user=1`, 400, 'invalid-request'],
  ])('%s → %i %s', async (path, status, code) => {
    const answer = await api.get(path);
    expect([answer.status, answer.type, answer.body.code]).toEqual([status, 'application/problem+json', code]);
  });

  it.each([
    `/v1/reports/access-review?resource=${WIKI}`,
    `/v1/reports/access-review?user_iss=${IDP}&user_tenant=acme&user_sub=bob`,
    `/v1/reports/incident?rule=${R1}`,
  ])('knows nothing for another tenant: %s', async (path) => {
    const { status, body } = await api.get(path, 'globex-audit');
    expect([status, body.code]).toEqual([404, 'not-found']);
  });
});
