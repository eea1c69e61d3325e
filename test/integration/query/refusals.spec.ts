import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { hold } from '../../support/hold.js';
import { ACME, keyOf, NOW, ROLE_NAMES, startQueryApi, tokenId } from './history.js';
import { CRM, CRM_AS, IDP, STORY } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

const T1 = tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, 't1']));
const ENDPOINTS = [
  '/v1/connections',
  '/v1/grants',
  '/v1/access',
  '/v1/access/counts',
  '/v1/graph',
  '/v1/matrix',
  '/v1/changes?since=24h',
  `/v1/tokens?iss=${CRM_AS}&jti=t1`,
  `/v1/tokens/${T1}`,
  '/v1/entries/0',
  '/v1/quarantine',
  '/v1/sequences',
];
const LISTS = ['/v1/connections', '/v1/grants', '/v1/access', '/v1/quarantine', '/v1/coverage', '/v1/directory'];

describe('roles', () => {
  it.each(ENDPOINTS.flatMap((path) => ROLE_NAMES.map((role) => [path, role] as const)))(
    '%s asked by %s',
    async (path, role) => {
      const allowed = role === 'audit' || (role === 'admin' && ['/v1/quarantine', '/v1/sequences'].includes(path));
      const { status, type, body } = await api.get(path, `acme-${role}`);
      expect(status).toBe(allowed ? 200 : 403);
      if (!allowed) expect([type, body.code]).toEqual(['application/problem+json', 'forbidden']);
    },
  );

  // An address may fail twenty times in a row; all endpoints are tried in `every-endpoint.spec.ts`.
  it.each(ENDPOINTS.slice(0, 9))('%s without credentials, and with wrong ones', async (path) => {
    for (const caller of [null, 'nobody']) {
      const { status, body } = await api.get(path, caller);
      expect([status, body.code]).toEqual([401, 'unauthenticated']);
    }
  });
});

describe('tenants', () => {
  it('gives another tenant its own answers and nothing else', async () => {
    const ask = async (path: string) => (await api.get(path, 'globex-audit')).body;
    expect(await ask('/v1/connections')).toEqual({ as_of: { index: '1', at: timeText(NOW) }, items: [] });
    expect(await ask('/v1/access')).toEqual({ as_of: { index: '1', at: timeText(NOW) }, items: [] });
    expect((await ask('/v1/grants')).items).toMatchObject([{ user: { iss: CRM_AS, sub: 'somebody' }, accesses: 0 }]);
    expect((await ask('/v1/graph')).nodes.map((node: any) => node.name).sort()).toEqual(
      [CRM, 'assistant-at-crm', CRM_AS, 'somebody'].sort(),
    );
    // The same issuer and jti is another token here, under another key.
    expect(await ask(`/v1/tokens?iss=${CRM_AS}&jti=t1`)).toMatchObject({
      user: { sub: 'somebody' },
      stopped_by: [],
      accesses: { count: 0 },
    });
  });

  it.each([
    `/v1/tokens/${T1}`,
    '/v1/entries/1',
    `/v1/access?user_iss=${IDP}&user_sub=alice&user_tenant=acme`,
    `/v1/access?agent_iss=${IDP}&agent_id=agent-7`,
  ])('finds nothing of %s', async (path) => {
    const { status, body } = await api.get(path, 'globex-audit');
    expect([status, body.code]).toEqual([404, 'not-found']);
  });

  it('refuses the cursor of one tenant for another', async () => {
    const { next } = (await api.get('/v1/access?limit=1')).body;
    const { status, body } = await api.get(`/v1/access?cursor=${next}`, 'globex-audit');
    expect([status, body.code]).toEqual([400, 'invalid-cursor']);
  });
});

describe('cursors', () => {
  it('belong to their question, whatever the page size', async () => {
    const next = async (path: string) => (await api.get(path)).body.next as string;
    const access = await next('/v1/access?limit=1');
    expect((await api.get(`/v1/access?limit=3&cursor=${access}`)).status).toBe(200);
    const refused = [
      `/v1/access?resource=${CRM}&cursor=${access}`,
      `/v1/access?from=1790000000&cursor=${access}`,
      `/v1/grants?cursor=${access}`,
      `/v1/connections?cursor=${await next('/v1/grants?limit=1')}`,
      `/v1/access?resource=${CRM}&cursor=${await next(`/v1/access?limit=1&agent_iss=${IDP}&agent_id=agent-7`)}`,
    ];
    for (const path of refused) {
      const { status, body } = await api.get(path);
      expect([path, status, body.code]).toEqual([path, 400, 'invalid-cursor']);
    }
  });

  it.each(LISTS)('are refused if they are forged: %s', async (path) => {
    const access = (await api.get('/v1/access?limit=1')).body.next as string;
    const flipped = `${access[0] === 'A' ? 'B' : 'A'}${access.slice(1)}`;
    const unproven = Buffer.concat([Buffer.alloc(16), Buffer.from('["1","1","1","1"]')]).toString('base64url');
    for (const cursor of [
      'x',
      'AAAA',
      flipped,
      `${access}A`,
      `${access}%3D`,
      access.slice(0, -4),
      unproven,
      'A'.repeat(513),
      '%F0%9F%98%80',
      '__proto__',
    ]) {
      const { status, body } = await api.get(`${path}?cursor=${cursor}`);
      expect([cursor, status, body.code]).toEqual([cursor, 400, 'invalid-cursor']);
    }
  });
});

describe('questions without an index', () => {
  it('are refused if they take too long', async () => {
    const letGo = await hold(api.pool, 'LOCK TABLE access IN ACCESS EXCLUSIVE MODE');
    try {
      const { status, body } = await api.get('/v1/access');
      expect([status, body.code, body.detail]).toEqual([
        400,
        'filter-too-wide',
        expect.stringMatching(/narrow the window/),
      ]);
    } finally {
      await letGo();
    }
  });
});

const NASTY = [
  '',
  '%00',
  '%20',
  '-1',
  '1e3',
  '0x10',
  '1.5',
  '01',
  'NaN',
  '9999999999999999999999',
  '%27%20OR%201=1--',
  '%F0%9F%98%80',
  '%ED%A0%80',
  '%',
  '%zz',
  'a'.repeat(513),
  '[]',
  '{}',
  'null',
  '__proto__',
  '$1',
  '4102444801',
  '9223372036854775808',
];
const PARAMETERS = [
  'user',
  'user_iss',
  'user_sub',
  'user_tenant',
  'client',
  'client_iss',
  'client_id',
  'agent',
  'agent_iss',
  'agent_id',
  'agent_type',
  'resource',
  'token',
  'operation',
  'outcome',
  'route',
  'scope',
  'client_address',
  'by',
  'q',
  'as_of',
  'from',
  'to',
  'limit',
  'cursor',
  'code',
  'source',
  'iss',
  'jti',
  'sha256',
  'signing_input_sha256',
  'unknown',
  '__proto__',
  'constructor',
  'toString',
];
const PATHS = [
  '/v1/connections',
  '/v1/grants',
  '/v1/access',
  '/v1/access/counts',
  '/v1/graph',
  '/v1/matrix',
  '/v1/tokens',
  '/v1/quarantine',
  '/v1/coverage',
  '/v1/directory',
  '/v1/search',
];

describe('hostile parameters', () => {
  it.each(PATHS.flatMap((path) => PARAMETERS.map((name) => [path, name] as const)))(
    '%s with %s',
    async (path, name) => {
      for (const value of NASTY) {
        const { status, type, body } = await api.get(`${path}?${name}=${value}`);
        const problem = type === 'application/problem+json' && typeof body.code === 'string';
        // The rest is a filter that is free text, of which these are odd but possible values.
        const free = status === 200 && (name === 'code' || body.items?.length === 0);
        expect({ value, refused: (status === 400 || status === 404) && problem, free }).toEqual({
          value,
          refused: !free,
          free,
        });
      }
    },
  );

  it.each([
    ['/v1/access?user=1&user=2', 400, 'invalid-request'],
    ['/v1/access?user=1&user_iss=a', 400, 'inconsistent-request'],
    ['/v1/access?user_iss=a', 400, 'inconsistent-request'],
    ['/v1/access?client_id=a', 400, 'inconsistent-request'],
    ['/v1/access?agent_iss=a', 400, 'inconsistent-request'],
    ['/v1/access?user=999999', 404, 'not-found'],
    ['/v1/access?from=1790000001&to=1790000001', 400, 'inconsistent-request'],
    ['/v1/access?limit=1001', 400, 'invalid-request'],
    ['/v1/access?usr=1', 400, 'invalid-request'],
    [`/v1/tokens?iss=${CRM_AS}`, 400, 'inconsistent-request'],
    [`/v1/tokens?iss=${CRM_AS}&jti=none`, 404, 'not-found'],
    ['/v1/tokens?sha256=LIRmL_zGvS2nkiwi3gryBIByL5QA0MaAz8fKQZhsfJU&jti=a', 400, 'inconsistent-request'],
    [`/v1/tokens/${T1}?limit=1`, 400, 'invalid-request'],
    [`/v1/tokens/${T1.slice(0, -1)}`, 400, 'invalid-request'],
    // Another spelling of the same bytes.
    [`/v1/tokens/${T1.slice(0, -1)}${T1.endsWith('A') ? 'B' : 'h'}`, 400, 'invalid-request'],
    ['/v1/tokens/AAAAAAAAAAAAAAAAAAAAAA', 404, 'not-found'],
    ['/v1/tokens/%00', 400, 'invalid-request'],
    ['/v1/entries/999', 404, 'not-found'],
    ['/v1/entries/01', 400, 'invalid-request'],
    ['/v1/entries/-1', 400, 'invalid-request'],
    ['/v1/entries/9223372036854775807', 404, 'not-found'],
    ['/v1/entries/9223372036854775808', 404, 'not-found'],
    ['/v1/entries/1e0', 400, 'invalid-request'],
    ['/v1/nothing', 404, 'not-found'],
    ['/schemas/dev.rescind.token.issued.v2.json', 404, 'not-found'],
    ['/schemas/dev.rescind.token.issued.v1', 404, 'not-found'],
    ['/schemas/..%2f..%2fpackage.json', 404, 'not-found'],
  ])('%s → %i %s', async (path, status, code) => {
    const answer = await api.get(path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('does not fail on a path with broken escapes', async () => {
    expect((await api.get('/v1/tokens/%')).status).toBe(400);
  });

  it('treats an id of another kind as unknown', async () => {
    const { rows } = await api.pool.query<{ id: number }>(
      'SELECT id FROM entity WHERE tenant = $1 AND kind = 5 LIMIT 1',
      [ACME],
    );
    const { status, body } = await api.get(`/v1/access?user=${rows[0]!.id}`);
    expect([status, body.code]).toEqual([404, 'not-found']);
  });
});
