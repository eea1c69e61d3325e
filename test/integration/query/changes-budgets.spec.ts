import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MAX_VERSIONS_WALKED } from '../../../src/query/changes/read.pg.js';
import { MAX_USES_A_RULE } from '../../../src/query/changes/used-after.js';
import { ACME, say, startQueryApi, T } from './history.js';
import { sayOwn } from './own-entries.js';
import { CRM_AS, IDP, STORY } from './story.js';

/* What a budget ends before it has seen all is said to be the least there is, also where what was seen tells nothing. */
let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

const head = async (): Promise<number> => Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
const changes = async (since: number) => {
  const { status, body } = await api.get(`/v1/changes?since=${since}`);
  expect([status, status === 200 ? null : body]).toEqual([200, null]);
  return body;
};

const token = { iss: CRM_AS, jti: 't1' };
const selector = { user: { iss: IDP, sub: 'alice', tenant: 'acme' } };
const denied = (nth: number) => say('crm', 'access.denied', T + 1_000 + nth, { token, operation: 'read', status: 403, route: `/r/${nth}` });

it('of uses after a rule: none that was looked at was allowed', async () => {
  const order = await sayOwn(api.pool, ACME, 'revocation.ordered', (T + 900) * 1_000, {
    rule: 'r-alice', seq: '1', effect: 'block', selector, reauthenticate: false, reason: 'compromised', author: { caller: 'acme-revoke' },
  });
  await api.say(Array.from({ length: MAX_USES_A_RULE - 1 }, (_, nth) => denied(nth)));
  const whole = await changes(Number(order));
  expect([whole.items, whole.at_least]).toEqual([[], undefined]);

  await api.say([denied(MAX_USES_A_RULE - 1)]);
  const cut = await changes(Number(order));
  expect([cut.items, cut.at_least]).toEqual([[], true]);
});

it('of uses after a rule: the first one is known, whatever comes behind it', async () => {
  await api.say([say('crm', 'access.allowed', T + 950, { token, operation: 'read', scope: 'contacts.read', status: 200 })]);
  const told = await changes((await head()) - 1);
  expect([told.items.map(({ kind }: { kind: string }) => kind), told.at_least]).toEqual([['used-after-rule'], true]);
  const since = await changes(await head());
  expect([since.items, since.at_least]).toEqual([[], undefined]);
});

it('of grants that came again: none of those that were looked at grew', async () => {
  const since = await head();
  await api.say([denied(MAX_USES_A_RULE)]);
  const again = (from: number, count: number) =>
    api.pool.query(
      `INSERT INTO grant_version (tenant, usr, client, res, from_ix, to_ix, scopes, again)
       SELECT $1, -nth, 1, 1, $2, $2, '{}', true FROM generate_series($3::int, $4::int) AS s (nth)`,
      [ACME, since, from, from + count - 1],
    );
  await again(1, MAX_VERSIONS_WALKED - 1);
  await api.pool.query('ANALYZE grant_version');
  expect((await changes(since)).at_least).toBeUndefined();
  await again(MAX_VERSIONS_WALKED, 1);
  const cut = await changes(since);
  expect([cut.items, cut.at_least]).toEqual([[], true]);
}, 30_000);
