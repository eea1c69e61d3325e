import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MAX_VERSIONS_WALKED } from '../../../src/query/changes/read.pg.js';
import { MAX_RULES_COMPARED, MAX_USES_A_RULE } from '../../../src/query/changes/used-after.js';
import { ACME, say, startQueryApi, T } from './history.js';
import { sayOwn } from './own-entries.js';
import { CRM_AS, IDP, STORY, WIKI_AS } from './story.js';

/* An answer whose budget ends before it has seen all says that it is incomplete, also where what was seen tells nothing. */
let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

const head = async (): Promise<number> =>
  Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
const changes = async (since: number) => {
  const { status, body } = await api.get(`/v1/changes?since=${since}`);
  expect([status, status === 200 ? null : body]).toEqual([200, null]);
  return body;
};

const token = { iss: CRM_AS, jti: 't1' };
const selector = { user: { iss: IDP, sub: 'alice', tenant: 'acme' } };
const denied = (nth: number) =>
  say('crm', 'access.denied', T + 1_000 + nth, { token, operation: 'read', status: 403, route: `/r/${nth}` });

it('reports no growth, and an incomplete answer, if none of the examined grants grew', async () => {
  const since = await head();
  await api.say([denied(0)]);
  const again = (from: number, count: number) =>
    api.pool.query(
      `INSERT INTO grant_version (tenant, usr, client, res, from_ix, to_ix, scopes, again)
       SELECT $1, -nth, 1, 1, $2, $2, '{}', true FROM generate_series($3::int, $4::int) AS s (nth)`,
      [ACME, since, from, from + count - 1],
    );
  await again(1, MAX_VERSIONS_WALKED - 1);
  await api.pool.query('ANALYZE grant_version');
  expect((await changes(since)).incomplete).toBeUndefined();
  await again(MAX_VERSIONS_WALKED, 1);
  const cut = await changes(since);
  expect([cut.items, cut.incomplete]).toEqual([[], true]);
}, 60_000);

describe('uses after a rule on a single token', () => {
  let seq = 1;
  const order = (rule: string, at: number, jti: string, issuer?: string) =>
    sayOwn(api.pool, ACME, 'revocation.ordered', at * 1_000, {
      rule,
      seq: String(++seq),
      effect: 'block',
      selector: { token: { iss: CRM_AS, jti }, ...(issuer === undefined ? {} : { issuer }) },
      reauthenticate: false,
      reason: 'compromised',
      author: { caller: 'acme-revoke' },
    });
  const use = (name: 'access.allowed' | 'access.denied', at: number, jti: string) =>
    say('crm', name, at, {
      token: { iss: CRM_AS, jti },
      operation: 'read',
      status: name === 'access.allowed' ? 200 : 403,
      route: `/t/${at}`,
    });
  const linesSince = async (since: number) => {
    const { items, incomplete } = await changes(since);
    return [
      items.map(({ rule, rule_state, at }: any) => `${rule} ${rule_state} ${Date.parse(at) / 1_000 - T}`).sort(),
      incomplete,
    ];
  };

  it('are reported if they were allowed, after the order and after the lift, and the issuer fits', async () => {
    const since = await head();
    await order('r-token', T + 3_000, 't3');
    await order('r-issued', T + 3_000, 't3', CRM_AS);
    await order('r-of-another', T + 3_000, 't3', WIKI_AS);
    await api.say([
      use('access.allowed', T + 2_999, 't3'),
      use('access.denied', T + 3_001, 't3'),
      use('access.allowed', T + 3_003, 't3'),
      use('access.allowed', T + 3_004, 't3'),
    ]);
    expect(await linesSince(since)).toEqual([['r-issued ordered 3003', 'r-token ordered 3003'], undefined]);

    await sayOwn(api.pool, ACME, 'revocation.lifted', (T + 3_010) * 1_000, {
      rule: 'r-token',
      seq: String(++seq),
      at: T + 3_010,
      resume: true,
      author: { caller: 'acme-revoke' },
    });
    const lifted = await head();
    await api.say([use('access.allowed', T + 3_020, 't3')]);
    expect(await linesSince(lifted)).toEqual([['r-issued ordered 3020', 'r-token lifted 3020'], undefined]);
    expect(await linesSince(since)).toEqual([
      ['r-issued ordered 3003', 'r-token lifted 3020', 'r-token ordered 3003'],
      undefined,
    ]);
    expect(await linesSince(await head())).toEqual([[], undefined]);
  });

  it('are reported as incomplete when a budget is used up', async () => {
    const since = await head();
    await order('r-denied', T + 4_000, 't4');
    await api.say(Array.from({ length: MAX_USES_A_RULE - 1 }, (_, nth) => use('access.denied', T + 4_001 + nth, 't4')));
    expect(await linesSince(since)).toEqual([[], undefined]);
    await api.say([use('access.denied', T + 5_000, 't4')]);
    expect(await linesSince(since)).toEqual([[], true]);
  });

  it('are compared with the rules that were ordered or lifted last', async () => {
    const before = await linesSince(await head());
    expect(before).toEqual([[], true]);
    // The earlier rules are beyond the budget now, among them one that is lifted last.
    for (let nth = 0; nth < MAX_RULES_COMPARED; nth++) await order(`r-many-${nth}`, T + 6_000, 'nobody-has-it');
    await sayOwn(api.pool, ACME, 'revocation.lifted', (T + 6_010) * 1_000, {
      rule: 'r-issued',
      seq: String(++seq),
      at: T + 6_010,
      resume: true,
      author: { caller: 'acme-revoke' },
    });
    const since = await head();
    await api.say([use('access.allowed', T + 6_020, 't3')]);
    expect(await linesSince(since)).toEqual([['r-issued lifted 6020'], true]);
  });
});

describe('uses after a rule on a user', () => {
  beforeAll(async () => {
    await api.stop();
    api = await startQueryApi(STORY);
  });

  it('are not reported if none of the examined uses was allowed', async () => {
    const order = await sayOwn(api.pool, ACME, 'revocation.ordered', (T + 900) * 1_000, {
      rule: 'r-alice',
      seq: '1',
      effect: 'block',
      selector,
      reauthenticate: false,
      reason: 'compromised',
      author: { caller: 'acme-revoke' },
    });
    await api.say(Array.from({ length: MAX_USES_A_RULE - 1 }, (_, nth) => denied(nth)));
    const whole = await changes(Number(order));
    expect([whole.items, whole.incomplete]).toEqual([[], undefined]);

    await api.say([denied(MAX_USES_A_RULE - 1)]);
    const cut = await changes(Number(order));
    expect([cut.items, cut.incomplete]).toEqual([[], true]);
  });

  it('are examined newest first, and their number is a lower bound', async () => {
    const allowed = (at: number) =>
      say('crm', 'access.allowed', at, { token, operation: 'read', scope: 'contacts.read', status: 200 });
    await api.say([allowed(T + 950), allowed(T + 9_000)]);
    const told = await changes((await head()) - 2);
    expect([
      told.items.map(({ kind, at, uses, at_least }: any) => [kind, at, uses, at_least]),
      told.incomplete,
    ]).toEqual([[['used-after-rule', timeText(T + 9_000), 1, true]], true]);
    expect((await changes(await head())).items).toEqual([]);
  });
});
