import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type EventDataOf, instantText, timeText } from '../../../src/contracts/index.js';
import { ACME, GLOBEX, say, sha256, SOURCES, startQueryApi, T, type Said } from './history.js';
import { sayOwn } from './own-entries.js';
import { CRM, CRM_AS, IDP, WIKI_AS } from './story.js';

/* Used after a rule: what the rule stopped at the time of the use, by what decides for a token, and nothing else. */
let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi([[issued('nobody', 'n-1', T)]]);
});
afterAll(() => api.stop());

let seq = 0;
let clock = T;
/** Seconds of its own for each spec. */
const later = (): number => (clock += 5_000);

type Source = keyof typeof SOURCES;
const userOf = (sub: string) => ({ iss: IDP, tenant: 'acme', sub });
const issued = (
  sub: string,
  jti: string,
  at: number,
  more: Partial<EventDataOf['token.issued']> = {},
  source: Source = 'crm',
) =>
  say(source, 'token.issued', at, {
    kind: 'access',
    iss: CRM_AS,
    jti,
    client_id: 'assistant-at-crm',
    aud: [CRM],
    scope: 'contacts.read',
    iat: at,
    exp: at + 600,
    id_jag: { ...userOf(sub), jti: `jag-of-${jti}` },
    ...more,
  });
const used = (jti: string, at: number, source: Source = 'crm') =>
  say(source, 'access.allowed', at, { token: { iss: CRM_AS, jti }, operation: 'read', status: 200 });
const disabled = (sub: string, at: number, source: Source = 'idp') => say(source, 'user.disabled', at, userOf(sub));
const enabled = (sub: string, at: number) => say('idp', 'user.enabled', at, userOf(sub));

type Order = EventDataOf['revocation.ordered'];
/** A person's order, or one that an event made: then so much later than the event. */
const order = (rule: string, at: number, what: Pick<Order, 'selector' | 'effect'> & Partial<Order>, tenant = ACME) =>
  sayOwn(api.pool, tenant, 'revocation.ordered', at * 1_000, {
    rule,
    seq: String(++seq),
    reauthenticate: false,
    reason: 'compromised',
    author: { caller: 'acme-revoke' },
    ...what,
  });
const orderOf = (rule: string, event: Said, sub: string, at: number, tenant = ACME) =>
  order(
    rule,
    at,
    {
      effect: 'block',
      selector: { user: userOf(sub), issuer: IDP },
      cause: { source: SOURCES[event.source].uri, id: sha256(canonicalJson(event)) },
    },
    tenant,
  );

const head = async (tenant = ACME): Promise<number> =>
  Number(
    (await api.pool.query('SELECT coalesce(max(next_ix), 0) AS head FROM ledger_head WHERE tenant = $1', [tenant]))
      .rows[0].head,
  );
async function ask(since: number, { more = '', caller = 'acme-audit' } = {}): Promise<any> {
  const { status, body } = await api.get(`/v1/changes?since=${since}&kind=used-after-rule${more}`, caller);
  expect([status, status === 200 ? null : body]).toEqual([200, null]);
  return body;
}
const told = async (since: number) =>
  (await ask(since)).items.map(({ rule, rule_state: state, user, at, last_at: last, uses, tokens }: any) => ({
    rule,
    state,
    user: user?.sub ?? null,
    at,
    last,
    uses,
    tokens,
  }));
const stoppedBy = async (jti: string) =>
  (await api.get(`/v1/tokens?iss=${CRM_AS}&jti=${jti}&as_of=${(await head()) - 1}`)).body.stopped_by.map(
    ({ rule }: any) => rule,
  );

describe('used after a rule', () => {
  it('does not list a user who was disabled, enabled again and given a fresh token', async () => {
    const [since, at] = [await head(), later()];
    const event = disabled('carol', at);
    await api.say([issued('carol', 'c-old', at - 100), event]);
    await orderOf('r-carol', event, 'carol', at + 1);
    await api.say([
      enabled('carol', at + 1_000),
      issued('carol', 'c-new', at + 1_100),
      used('c-new', at + 1_200),
      used('c-new', at + 1_300),
    ]);
    expect([await told(since), await stoppedBy('c-new')]).toEqual([[], []]);

    // The tokens that she held before are stopped all the same.
    await api.say([used('c-old', at + 1_400), used('c-old', at + 1_500)]);
    expect([await told(since), await stoppedBy('c-old')]).toEqual([
      [
        {
          rule: 'r-carol',
          state: 'ordered',
          user: 'carol',
          at: timeText(at + 1_400),
          last: timeText(at + 1_500),
          uses: 2,
          tokens: 1,
        },
      ],
      ['r-carol'],
    ]);
    const [{ rule_ended: ended }] = (await ask(since)).items;
    expect(ended).toEqual({ by: 'enabling', at: timeText(at + 1_000), entry: expect.stringMatching(/^\d+$/) });
    const { rows } = await api.pool.query('SELECT type FROM entry WHERE tenant = $1 AND ix = $2', [ACME, ended.entry]);
    expect(rows).toEqual([{ type: 'dev.rescind.user.enabled.v1' }]);
  });

  it('lists a disabled user, by any token, until the enabling', async () => {
    const [since, at] = [await head(), later()];
    const event = disabled('dave', at);
    await api.say([issued('dave', 'd-old', at - 100), event]);
    await orderOf('r-dave', event, 'dave', at + 1);
    // Issued in spite of it.
    await api.say([issued('dave', 'd-during', at + 200), used('d-during', at + 300), enabled('dave', at + 1_000)]);
    expect(await told(since)).toEqual([
      {
        rule: 'r-dave',
        state: 'ordered',
        user: 'dave',
        at: timeText(at + 300),
        last: timeText(at + 300),
        uses: 1,
        tokens: 1,
      },
    ]);
    expect((await ask(since)).items[0]).not.toHaveProperty('rule_ended');
  });

  it('lists no use after the `until` of a block, except of tokens granted before', async () => {
    const [since, at] = [await head(), later()];
    await api.say([issued('erin', 'e-old', at - 100, { exp: at + 9_000 })]);
    await order('r-erin', at, { effect: 'block', selector: { user: userOf('erin') }, until: at + 1_000 });
    await api.say([issued('erin', 'e-new', at + 1_100), used('e-new', at + 1_200)]);
    expect(await told(since)).toEqual([]);
    await api.say([used('e-old', at + 1_300), used('e-old', at + 500)]);
    expect(await told(since)).toEqual([
      {
        rule: 'r-erin',
        state: 'ordered',
        user: 'erin',
        at: timeText(at + 500),
        last: timeText(at + 1_300),
        uses: 2,
        tokens: 1,
      },
    ]);
    expect((await ask(since)).items[0].rule_ended).toEqual({ by: 'until', at: timeText(at + 1_000), entry: null });

    const resumed = await head();
    await order('r-erin-resumed', at + 2_000, {
      effect: 'block',
      selector: { user: userOf('erin') },
      until: at + 3_000,
      resume: true,
    });
    await api.say([used('e-new', at + 3_100)]);
    expect((await told(resumed)).filter(({ rule }: any) => rule === 'r-erin-resumed')).toEqual([]);
  });

  it('does not list a user who signed in again after a revoke', async () => {
    const [since, at] = [await head(), later()];
    await api.say([issued('fred', 'f-old', at - 100)]);
    await order('r-fred', at, { effect: 'revoke', selector: { user: userOf('fred') }, before: at });
    await api.say([issued('fred', 'f-new', at + 100), used('f-new', at + 200)]);
    expect(await told(since)).toEqual([]);
    await api.say([used('f-old', at + 300)]);
    expect((await told(since)).map(({ rule, at: first }: any) => [rule, first])).toEqual([
      ['r-fred', timeText(at + 300)],
    ]);
  });

  it('counts from the time of the event, however late it arrives', async () => {
    const at = later();
    await api.say([issued('gina', 'g-1', at - 100), used('g-1', at - 50), used('g-1', at + 50)]);
    const since = await head();
    const event = disabled('gina', at);
    await api.say([event]);
    await orderOf('r-gina', event, 'gina', at + 3_600);
    // Its news is the rule: the uses were known.
    const { items } = await ask(since);
    expect(items).toMatchObject([
      {
        rule: 'r-gina',
        at: timeText(at + 50),
        last_at: timeText(at + 50),
        uses: 1,
        first: { index: String(since + 1) },
        last: { index: String(since + 1) },
      },
    ]);
    expect(await told(await head())).toEqual([]);
  });

  it('counts a revoked token from the time of its event', async () => {
    const [since, at] = [await head(), later()];
    const event = say('crm', 'token.revoked', at, { iss: CRM_AS, jti: 'h-1', kind: 'access' });
    await api.say([issued('hana', 'h-1', at - 100), used('h-1', at - 1), used('h-1', at + 50), event]);
    await order('r-hana', at + 3_600, {
      effect: 'revoke',
      selector: { token: { iss: CRM_AS, jti: 'h-1' }, issuer: CRM_AS },
      cause: { source: SOURCES.crm.uri, id: sha256(canonicalJson(event)) },
    });
    expect(await told(since)).toEqual([
      {
        rule: 'r-hana',
        state: 'ordered',
        user: 'hana',
        at: timeText(at + 50),
        last: timeText(at + 50),
        uses: 1,
        tokens: 1,
      },
    ]);
  });

  it('says how many uses there were of all tokens of a user, with the first and the last', async () => {
    const [since, at] = [await head(), later()];
    const event = disabled('alma', at);
    await api.say([event]);
    await orderOf('r-alma', event, 'alma', at + 1);
    const tokens = Array.from({ length: 4 }, (_, nth) => issued('alma', `a-${nth}`, at + 100 + nth));
    const uses = Array.from({ length: 82 }, (_, nth) => used(`a-${nth % 4}`, at + 200 + 10 * nth));
    await api.say([...tokens, ...uses]);
    expect(await told(since)).toEqual([
      {
        rule: 'r-alma',
        state: 'ordered',
        user: 'alma',
        at: timeText(at + 200),
        last: timeText(at + 1_010),
        uses: 82,
        tokens: 4,
      },
    ]);

    // Since then: what is new.
    const next = await head();
    await api.say([used('a-1', at + 2_000)]);
    expect(await told(next)).toEqual([
      {
        rule: 'r-alma',
        state: 'ordered',
        user: 'alma',
        at: timeText(at + 2_000),
        last: timeText(at + 2_000),
        uses: 1,
        tokens: 1,
      },
    ]);
  });

  it('has a line for each user whom a rule on a client stops, and none for tokens issued elsewhere', async () => {
    const [since, at] = [await head(), later()];
    await order('r-client', at, { effect: 'block', selector: { client: { iss: CRM_AS, client_id: 'bot' } } });
    const bot = { client_id: 'bot' };
    await api.say([
      issued('ines', 'i-1', at + 1, bot),
      issued('jan', 'i-2', at + 1, bot),
      issued('jan', 'i-3', at + 1, { ...bot, iss: WIKI_AS }),
      used('i-1', at + 10),
      used('i-2', at + 20),
      used('i-2', at + 30),
    ]);
    expect((await told(since)).sort((one: any, other: any) => Date.parse(one.at) - Date.parse(other.at))).toEqual([
      {
        rule: 'r-client',
        state: 'ordered',
        user: 'ines',
        at: timeText(at + 10),
        last: timeText(at + 10),
        uses: 1,
        tokens: 1,
      },
      {
        rule: 'r-client',
        state: 'ordered',
        user: 'jan',
        at: timeText(at + 20),
        last: timeText(at + 30),
        uses: 2,
        tokens: 1,
      },
    ]);
  });

  it('is whoever a rule on a type of agent or on an issuer stops, and nobody else', async () => {
    const [since, at] = [await head(), later()];
    const other = 'https://as.other.example';
    await order('r-type', at, { effect: 'block', selector: { agent_type: 'crawler' } });
    await order('r-issuer', at, { effect: 'block', selector: { issuer: other } });
    await order('r-both', at, { effect: 'block', selector: { user: userOf('lea'), agent_type: 'coder' } });
    await api.say([
      issued('lea', 'l-1', at + 1, { agent: { type: 'crawler' } }),
      issued('mia', 'm-1', at + 1, { iss: other }),
      issued('noa', 'n-2', at + 1, { agent: { type: 'coder' } }),
      used('l-1', at + 10),
      say('crm', 'access.allowed', at + 20, { token: { iss: other, jti: 'm-1' }, operation: 'read', status: 200 }),
      used('n-2', at + 30),
    ]);
    expect((await told(since)).sort((one: any, next: any) => Date.parse(one.at) - Date.parse(next.at))).toEqual([
      {
        rule: 'r-type',
        state: 'ordered',
        user: 'lea',
        at: timeText(at + 10),
        last: timeText(at + 10),
        uses: 1,
        tokens: 1,
      },
      {
        rule: 'r-issuer',
        state: 'ordered',
        user: 'mia',
        at: timeText(at + 20),
        last: timeText(at + 20),
        uses: 1,
        tokens: 1,
      },
    ]);
  });

  it.each([
    ['acme', ACME, 'idp', 'crm'],
    ['globex', GLOBEX, 'globex', 'globex'],
  ] as const)('lists %s, whose history was posted afterwards', async (name, tenant, idp, ras) => {
    const [since, at] = [Math.max(1, await head(tenant)), later()];
    const now = at + 90 * 86_400;
    const event = disabled('kim', at, idp);
    await api.say([
      issued('kim', `${name}-1`, at - 100, {}, ras),
      used(`${name}-1`, at - 50, ras),
      used(`${name}-1`, at + 60, ras),
      used(`${name}-1`, at + 70, ras),
      event,
    ]);
    await orderOf(`r-kim-${name}`, event, 'kim', now, tenant);
    expect((await ask(since, { caller: `${name}-audit` })).items).toMatchObject([
      { rule: `r-kim-${name}`, at: timeText(at + 60), last_at: timeText(at + 70), uses: 2, tokens: 1 },
    ]);
  });
});

describe('the incident report', () => {
  const report = async (rule: string): Promise<any> => {
    const { status, body } = await api.get(`/v1/reports/incident?rule=${rule}`);
    expect([status, status === 200 ? null : body]).toEqual([200, null]);
    return body;
  };

  it('says that an enabling ended the block, and counts after it only uses of tokens that stay stopped', async () => {
    const at = later();
    const event = disabled('lena', at);
    await api.say([issued('lena', 'l-old', at - 100), used('l-old', at - 50), event]);
    await orderOf('r-lena', event, 'lena', at + 1);
    await api.say([used('l-old', at + 500), enabled('lena', at + 1_000)]);
    const enabling = (await head()) - 1;
    await api.say([issued('lena', 'l-new', at + 1_100), used('l-new', at + 1_200), used('l-old', at + 1_300)]);
    expect(await report('r-lena')).toMatchObject({
      rule: {
        counts_from: instantText(at * 1_000),
        ordered_at: instantText((at + 1) * 1_000),
        ended: { by: 'enabling', at: timeText(at + 1_000), entry: String(enabling), resume: false },
        lifted: null,
      },
      before: { allowed: 1 },
      after: { allowed: 2, first: timeText(at + 500), last: timeText(at + 1_300) },
    });
  });

  it('says that a block is over, and counts no use from then on with `resume`', async () => {
    const at = later();
    await api.say([issued('mia', 'm-1', at - 100, { exp: at + 9_000 })]);
    await order('r-mia', at, { effect: 'block', selector: { user: userOf('mia') }, until: at + 1_000, resume: true });
    await api.say([used('m-1', at + 500), used('m-1', at + 1_500)]);
    expect(await report('r-mia')).toMatchObject({
      rule: { ended: { by: 'until', at: timeText(at + 1_000), entry: null, resume: true } },
      after: { allowed: 1, last: timeText(at + 500) },
    });
  });

  it('counts from the time of an event that came late', async () => {
    const at = later();
    const event = disabled('nora', at);
    await api.say([issued('nora', 'o-1', at - 100), used('o-1', at - 50), used('o-1', at + 50), event]);
    await orderOf('r-nora', event, 'nora', at + 3_600);
    expect(await report('r-nora')).toMatchObject({
      rule: { ended: null },
      before: { allowed: 1, last: timeText(at - 50) },
      after: { allowed: 1, first: timeText(at + 50) },
    });
  });

  it('counts nothing after the lift', async () => {
    const at = later();
    await api.say([issued('olga', 'p-1', at - 100, { exp: at + 9_000 })]);
    await order('r-olga', at, { effect: 'block', selector: { user: userOf('olga') } });
    await api.say([used('p-1', at + 50)]);
    await sayOwn(api.pool, ACME, 'revocation.lifted', (at + 100) * 1_000, {
      rule: 'r-olga',
      seq: String(++seq),
      at: at + 100,
      resume: true,
      author: { caller: 'acme-revoke' },
    });
    await api.say([used('p-1', at + 200)]);
    expect(await report('r-olga')).toMatchObject({
      rule: { lifted: { at: timeText(at + 100) } },
      after: { allowed: 1, last: timeText(at + 50) },
    });
  });
});
