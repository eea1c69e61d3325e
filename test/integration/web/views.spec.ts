import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCleanups } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';

const ANALYSTS = { audit: {} };
const cleanups = createCleanups();
let url: string;
const keys: Record<string, string> = {};

beforeAll(async () => {
  const { rescind } = await startOwnRescind(cleanups);
  url = rescind.url;
  keys['admin'] = rescind.adminKey!;
  for (const [id, roles] of Object.entries({
    ann: ANALYSTS,
    ben: ANALYSTS,
    cat: ANALYSTS,
    responder: { revoke: { tenant: true } },
  }))
    keys[id] = (await call('POST', '/v1/callers', { id, roles }, 'admin')).body.secret;
  expect(Object.values(keys)).not.toContain(undefined);
});
afterAll(() => cleanups.run());

async function call(method: string, path: string, body?: unknown, caller = 'ann') {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${keys[caller]}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as any };
}

const VIEW = { name: 'Exports', page: '/explore', search: 'measures=calls&by=user' };
const save = (change: object = {}, caller = 'ann') => call('POST', '/v1/views', { ...VIEW, ...change }, caller);
const namesFor = async (caller: string): Promise<string[]> =>
  (await call('GET', '/v1/views', undefined, caller)).body.views.map(({ name }: { name: string }) => name);
const code = ({ status, body }: { status: number; body: any }) => [status, body.code];

describe('views', () => {
  it('are their owner’s alone, unless they are shared', async () => {
    const [own, shared] = [await save({ name: 'own' }), await save({ name: 'shared', shared: true })];
    expect(own).toMatchObject({
      status: 201,
      body: { ...VIEW, name: 'own', shared: false, owner: 'ann', mine: true, may_change: true, updated_by: 'ann' },
    });
    expect(await namesFor('ann')).toEqual(['own', 'shared']);
    expect(await namesFor('ben')).toEqual(['shared']);
    expect((await call('GET', '/v1/views', undefined, 'ben')).body.views[0]).toMatchObject({
      mine: false,
      may_change: false,
    });
    const change = { ...VIEW, name: 'of ben', shared: true };
    for (const [id, by, refused] of [
      [own.body.id, 'ben', [404, 'not-found']],
      [own.body.id, 'admin', [404, 'not-found']],
      [shared.body.id, 'ben', [403, 'forbidden']],
      ['no-view', 'ann', [404, 'not-found']],
    ] as const) {
      expect(code(await call('PUT', `/v1/views/${id}`, change, by))).toEqual(refused);
      expect(code(await call('DELETE', `/v1/views/${id}`, undefined, by))).toEqual(refused);
    }
    expect(await namesFor('ann')).toEqual(['own', 'shared']);
  });

  it('are changed and removed by their owner; shared ones by an administrator, and stay the owner’s', async () => {
    const { body } = await save({ name: 'to change' });
    const changed = await call('PUT', `/v1/views/${body.id}`, { ...VIEW, name: 'changed', shared: true });
    expect(changed).toMatchObject({ status: 200, body: { id: body.id, name: 'changed', shared: true } });
    const byAdmin = await call('PUT', `/v1/views/${body.id}`, { ...VIEW, name: 'by admin', shared: true }, 'admin');
    expect(byAdmin.body).toMatchObject({ owner: 'ann', updated_by: 'admin', mine: false, may_change: true });
    expect(await call('DELETE', `/v1/views/${body.id}`, undefined, 'admin')).toMatchObject({ status: 200 });
    expect(await namesFor('ann')).not.toContain('by admin');
  });

  it('have a name that no other view of their owner has', async () => {
    expect((await save({ name: 'twice' })).status).toBe(201);
    expect(code(await save({ name: 'twice' }))).toEqual([409, 'already-exists']);
    expect((await save({ name: 'twice' }, 'ben')).status).toBe(201);
    const { body } = await save({ name: 'once' });
    expect(code(await call('PUT', `/v1/views/${body.id}`, { ...VIEW, name: 'twice' }))).toEqual([
      409,
      'already-exists',
    ]);
  });

  it.each<[string, object]>([
    ['a page of another host', { page: '//attacker.example' }],
    ['a page with a scheme', { page: 'https://attacker.example' }],
    ['a page that climbs', { page: '/../v1/me' }],
    ['a search that ends in a fragment', { search: 'by=user#code' }],
    ['a search that is too long', { search: 'a'.repeat(4_001) }],
    ['no name', { name: '' }],
    ['a name of spaces', { name: '  ' }],
    ['a name that turns the text around', { name: 'a\u202Eb' }],
    ['a name that is too long', { name: 'a'.repeat(101) }],
    ['a member that is unknown', { owner: 'ben' }],
  ])('refuse %s', async (_what, change) => {
    expect(code(await save(change))).toEqual([400, 'invalid-request']);
  });

  it('are kept from callers that may not ask', async () => {
    expect(code(await save({}, 'responder'))).toEqual([403, 'forbidden']);
  });

  it('have a bound for each owner', async () => {
    for (let nth = 0; nth < 100; nth += 1) expect((await save({ name: `view ${nth}` }, 'cat')).status).toBe(201);
    expect(await save({ name: 'one more' }, 'cat')).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining('you have 100 views') },
    });
  });
});
