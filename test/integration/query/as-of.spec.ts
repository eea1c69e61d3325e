import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { NOW, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

it('later pages are as of the first: uses that arrive or are attributed in between do not appear', async () => {
  const path = `/v1/access?resource=${CRM}&limit=1`;
  const first = (await api.get(path)).body;
  expect(first).toMatchObject({ as_of: { index: '15' }, items: [{ index: '11', attributed: false }] });
  const before = (await api.get(`/v1/access?resource=${CRM}&limit=3`)).body.items;

  await api.say([
    /* 15: older than all, newer than all */ say('crm', 'access.allowed', T + 35, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      status: 200,
    }),
    /* 16 */ say('crm', 'access.allowed', T + 900, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      status: 200,
    }),
    /* 17: says whose 11 is */ say('crm', 'token.issued', T + 65, {
      kind: 'access',
      iss: CRM_AS,
      jti: 'nobody-knows',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.write',
      iat: T + 65,
      exp: T + 665,
      id_jag: { iss: IDP, jti: 'j9', sub: 'alice', tenant: 'acme' },
    }),
  ]);

  const second = (await api.get(`${path}&cursor=${first.next}`)).body;
  const third = (await api.get(`${path}&cursor=${second.next}`)).body;
  expect([first, second, third].flatMap(({ items }) => items)).toEqual(before);
  expect(third).toEqual({ as_of: { index: '15', at: timeText(NOW) }, items: [before[2]] });

  const now = (await api.get(`/v1/access?resource=${CRM}`)).body;
  expect(now.as_of).toEqual({ index: '18', at: timeText(NOW) });
  expect(now.items.map((item: any) => [item.index, item.attributed, item.user?.sub])).toEqual([
    ['16', true, 'alice'],
    ['11', true, 'alice'],
    ['4', true, 'alice'],
    ['15', true, 'alice'],
    ['3', true, 'alice'],
  ]);
});

it('a filter does not find uses attributed after its first page', async () => {
  const path = `/v1/access?user_iss=${IDP}&user_sub=alice&user_tenant=acme&limit=1`;
  const first = (await api.get(path)).body;
  await api.say([
    say('crm', 'access.allowed', T + 45, { token: { iss: CRM_AS, jti: 'late' }, operation: 'read', status: 200 }),
  ]);
  await api.say([
    say('crm', 'token.issued', T + 44, {
      kind: 'access',
      iss: CRM_AS,
      jti: 'late',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      iat: T + 44,
      exp: T + 644,
      id_jag: { iss: IDP, jti: 'j10', sub: 'alice', tenant: 'acme' },
    }),
  ]);
  const indexes: string[] = [];
  for (let next = first.next; next !== undefined; ) {
    const page = (await api.get(`${path}&cursor=${next}`)).body;
    indexes.push(...page.items.map((item: any) => item.index));
    next = page.next;
  }
  expect([first.items[0].index, ...indexes]).toEqual(['16', '11', '4', '15', '3']);
});
