import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { say, startQueryApi, T } from '../query/history.js';
import { CRM, CRM_AS, STORY } from '../query/story.js';

/** A token whose lineage names nobody at the IdP: its uses stand under the user's name at the authorization server. */
const LOCAL = { iss: CRM_AS, jti: 'local' };

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
  await api.say([
    say('crm', 'token.issued', T + 70, {
      kind: 'access',
      ...LOCAL,
      sub: 'crm-alice',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.read',
      iat: T + 70,
      exp: T + 670,
    }),
    say('crm', 'access.allowed', T + 80, { token: LOCAL, operation: 'read', status: 200 }),
  ]);
});
afterAll(() => api.stop());

const post = async (path: string, body: object): Promise<any> => {
  const answer = await api.send('POST', path, 'acme-audit', { from: T - 1_000, ...body });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
};

describe('the uses behind a group', () => {
  it.each(['user', 'client'])('of a %s are as many as the group counts, whatever other names it has', async (by) => {
    const { items } = await post('/v1/explore', { by: [by] });
    const groups = items.filter(({ group }: any) => group[by] !== null);
    for (const { group, values } of groups) {
      const filter = { [by]: { entity: group[by].entity } };
      const { items: rows } = await post('/v1/explore/rows', { filter });
      expect(rows.reduce((sum: number, { count }: any) => sum + count, 0)).toBe(values.calls);
      expect(new Set(rows.map((row: any) => row[by].entity))).toEqual(new Set([group[by].entity]));
    }
    expect(groups.length).toBeGreaterThan(1);
  });

  it('are fewer than those that a person has under all names', async () => {
    const { items } = await post('/v1/explore', { by: ['user'] });
    const local = items.find(({ group }: any) => group.user?.sub === 'crm-alice');
    const of = async (filter: object) => (await post('/v1/explore', { filter })).items[0].values.calls;
    expect(await of({ user: { entity: local.group.user.entity } })).toBe(1);
    expect(await of({ user: { equals: local.group.user.entity } })).toBe(3);
  });

  it.each([
    [{ user: { entity: 999_999 } }, 404, 'not-found'],
    [{ user: { entity: 'alice' } }, 400, 'invalid-request'],
    [{ agent: { entity: 1 } }, 400, 'invalid-request'],
  ])('are refused for %j', async (filter, status, code) => {
    const answer = await api.send('POST', '/v1/explore', 'acme-audit', { filter });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});
