import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import type { Caller } from '../../../src/control/index.js';
import { createQuestions, type BlastAnswer, type Questions } from '../../../src/query/index.js';
import { createRevocations, type Revocations } from '../../../src/revocation/index.js';
import { ruleKey, ruleKeyToBytes, type Selector } from '../../../src/rules/index.js';
import { until } from '../control/control-fixture.js';
import {
  access,
  API,
  createStage,
  fromChat,
  fromIdp,
  IDP,
  idJag,
  RAS,
  token,
  type Stage,
} from '../../support/stage.js';

/*
 * Every number of a blast radius against what plain SQL counts in the same tables, on an organisation of more users, tokens, grants and uses than
 * any page shows, and against the preview of the rule that the answer proposes.
 */
const USERS = 1_500;
const TOKENS_A_USER = 2;
/** One user has many: of one ID-JAG and session, and of one refresh token. */
const MANY = 260;
const ENDED = 700;
const BATCH = 1_000;
const MINUTES = 600_000;

const CLIENT = 'wiki-at-chat';
const AGENT = 'agent-7';
const STOPPED_USER = 'user-7';
const jagOf = (nth: number): string => `gr-${nth}`;
const issuedTo = (nth: number) => ({ sub: `chat-${nth}`, id_jag: { iss: IDP, jti: jagOf(nth), sub: `user-${nth}` } });

let stage: Stage;
let revocations: Revocations;
let questions: Questions;
let asker: Caller;
const now = Math.floor(Date.now() / 1000);

beforeAll(async () => {
  stage = await createStage();
  const { registry, follower, controlLog, database, tenant } = stage;
  await registry.createCaller(
    { id: 'admin', tenant },
    { id: 'analyst', roles: { audit: {}, revoke: { tenant: true } } },
  );
  asker = follower.state.caller('analyst')!;
  revocations = createRevocations({ controlLog, follower, pool: database.pool });
  questions = createQuestions({
    pool: database.pool,
    control: () => follower.state,
    previewOrder: (caller, order) => revocations.preview(caller as Caller, order),
  });
  const events = [...organisation()];
  for (let at = 0; at < events.length; at += BATCH) {
    const results = await stage.emit(...events.slice(at, at + BATCH));
    expect(results.filter((result) => 'error' in (result as object))).toEqual([]);
  }
  const { id } = await revocations.order(asker, {
    selector: { user: { iss: IDP, sub: STOPPED_USER } },
    reason: 'left',
  });
  await untilRecorded(id);
  await database.pool.query('ANALYZE');
}, MINUTES);
afterAll(() => stage.stop());

function* organisation(): Generator<CloudEvent> {
  for (let nth = 0; nth < USERS; nth++)
    yield fromIdp(
      'id-jag.issued',
      idJag({ jti: jagOf(nth), sub: `user-${nth}`, sid: `s-${nth}`, aud_sub: `chat-${nth}` }),
    );
  for (let nth = 0; nth < USERS * TOKENS_A_USER; nth++) {
    const one = `at-${nth}`;
    yield fromChat('token.issued', token({ jti: one, ...issuedTo(nth % USERS), exp: now + 900 + nth }));
    yield fromChat(
      'access.allowed',
      access({ token: { iss: RAS, jti: one }, operation: nth % 3 === 0 ? 'export' : 'read', records: nth, bytes: 10 }),
    );
  }
  yield fromChat('token.issued', token({ jti: 'rt-0', kind: 'refresh', exp: undefined, aud: [RAS], ...issuedTo(0) }));
  for (let nth = 0; nth < MANY; nth++) {
    const one = `many-${nth}`;
    yield fromChat(
      'token.issued',
      token({ jti: one, ...issuedTo(0), parent: { iss: RAS, jti: 'rt-0' }, exp: now + 90_000 + nth }),
    );
    for (let use = 0; use < 5; use++) {
      yield use === 0
        ? fromChat(
            'access.denied',
            access({ token: { iss: RAS, jti: one }, operation: 'delete', status: 403, records: undefined }),
          )
        : fromChat(
            'access.allowed',
            access({ token: { iss: RAS, jti: one }, operation: 'write', records: 1, bytes: 1 }),
          );
    }
  }
  // The one that ended first of many was exchanged by another client.
  for (let nth = 0; nth < ENDED; nth++)
    yield fromChat(
      'token.issued',
      token({ jti: `ended-${nth}`, ...issuedTo(0), iat: now - 20_000, exp: now - 10_000 + nth }),
    );
  yield fromChat(
    'token.issued',
    token({
      jti: 'exchanged',
      sub: undefined,
      client_id: 'mailer-at-chat',
      id_jag: undefined,
      parent: { iss: RAS, jti: 'ended-0' },
    }),
  );
}

const key = (dimension: 'token' | 'id_jag', ...parts: string[]): Buffer =>
  ruleKeyToBytes(ruleKey(stage.follower.state.tenant(stage.tenant)!.key, dimension, parts));
const entity = (kind: number, ...parts: (string | null)[]): string =>
  `(SELECT id FROM entity WHERE tenant = $1 AND kind = ${kind} AND parts = '${JSON.stringify(parts)}')`;
const bytes = (value: Buffer): string => `'\\x${value.toString('hex')}'`;

interface Start {
  readonly name: string;
  readonly query: () => Record<string, string>;
  readonly selector: () => Selector;
  /** Condition on the token `t`; tokens that came of it are counted apart. */
  readonly tokens: () => string;
  /** Condition on the grant `g`. Default: the grants behind the tokens. */
  readonly grants?: () => string;
  /** Condition on the use `a`. Default: the uses of the tokens. */
  readonly uses?: () => string;
}

const idJagKeys = (condition: string): string =>
  `t.id_jag_key IN (SELECT unnest(ARRAY[j.key, j.sha_key]) FROM id_jag j WHERE j.tenant = $1 AND ${condition})`;
const STARTS: readonly Start[] = [
  {
    name: 'a client of the RAS',
    query: () => ({ client_iss: RAS, client_id: CLIENT }),
    selector: () => ({ client: { iss: RAS, client_id: CLIENT } }),
    tokens: () => `t.client = ${entity(2, RAS, CLIENT)}`,
    grants: () => `g.client = ${entity(2, RAS, CLIENT)}`,
    uses: () => `a.client = ${entity(2, RAS, CLIENT)}`,
  },
  {
    name: 'a client of the IdP',
    query: () => ({ client_iss: IDP, client_id: 'wiki-at-idp' }),
    selector: () => ({ client: { iss: IDP, client_id: 'wiki-at-idp' } }),
    tokens: () => idJagKeys(`j.idp_client = ${entity(2, IDP, 'wiki-at-idp')}`),
    grants: () => `g.client = ${entity(2, RAS, CLIENT)}`,
    uses: () => `a.client = ${entity(2, RAS, CLIENT)}`,
  },
  {
    name: 'an agent',
    query: () => ({ agent_iss: IDP, agent_id: AGENT }),
    selector: () => ({ agent: { iss: IDP, id: AGENT } }),
    tokens: () => `t.agent = ${entity(3, IDP, AGENT)}`,
    grants: () => `g.agent = ${entity(3, IDP, AGENT)}`,
    uses: () => `a.agent = ${entity(3, IDP, AGENT)}`,
  },
  {
    name: 'a resource',
    query: () => ({ resource: API }),
    selector: () => ({ resource: API }),
    tokens: () => `(${entity(5, API)} = ANY (t.res) OR ${idJagKeys(`j.facts -> 'resource' ? '${API}'`)})`,
    grants: () => `g.res = ${entity(5, API)}`,
    uses: () => `a.res = ${entity(5, API)}`,
  },
  {
    name: 'a user',
    query: () => ({ user_iss: IDP, user_sub: 'user-0' }),
    selector: () => ({ user: { iss: IDP, sub: 'user-0' } }),
    tokens: () => `t.usr = ${entity(1, IDP, null, 'user-0')}`,
    grants: () => `g.usr = ${entity(1, IDP, null, 'user-0')}`,
    uses: () => `a.usr = ${entity(1, IDP, null, 'user-0')}`,
  },
  {
    name: 'a session',
    query: () => ({ session_iss: IDP, session_sid: 's-0' }),
    selector: () => ({ session: { iss: IDP, sid: 's-0' } }),
    tokens: () => idJagKeys(`j.facts ->> 'sid' = 's-0'`),
  },
  {
    name: 'an ID-JAG',
    query: () => ({ id_jag_iss: IDP, id_jag_jti: jagOf(0) }),
    selector: () => ({ id_jag: { iss: IDP, jti: jagOf(0) } }),
    tokens: () => idJagKeys(`j.key = ${bytes(key('id_jag', IDP, jagOf(0)))}`),
  },
  {
    name: 'a refresh token',
    query: () => ({ token: key('token', RAS, 'rt-0').toString('base64url') }),
    selector: () => ({ token: { iss: RAS, jti: 'rt-0' } }),
    tokens: () => `t.key = ${bytes(key('token', RAS, 'rt-0'))}`,
  },
];

const LIVE = `(t.exp > ${now + 60} OR t.exp IS NULL)`;

async function countBySql({ tokens, grants, uses }: Start) {
  const ask = async (text: string): Promise<Record<string, number>> => {
    const { rows } = await stage.database.pool.query(text, [stage.tenant]);
    return Object.fromEntries(
      Object.entries(rows[0] as Record<string, string>).map(([name, value]) => [name, Number(value)]),
    );
  };
  const selected = `WITH named AS (SELECT * FROM token t WHERE t.tenant = $1 AND ${tokens()}),
    reached AS (SELECT * FROM named UNION SELECT t.* FROM token t JOIN named n ON t.tenant = $1 AND t.parent_key = n.key),
    live AS (SELECT * FROM reached t WHERE ${LIVE}),
    held AS (SELECT g.usr, g.client, g.res FROM grant_version g WHERE g.tenant = $1 AND g.to_ix IS NULL AND (${grants?.() ?? 'false'}
      OR EXISTS (SELECT FROM live t WHERE t.usr = g.usr AND t.client = g.client AND g.res = ANY (t.res))))`;
  return {
    ...(await ask(`${selected} SELECT (SELECT count(*) FROM live) AS tokens, (SELECT count(*) FROM live WHERE usr = ${entity(1, IDP, null, STOPPED_USER)}) AS stopped,
      (SELECT count(*) FROM held) AS grants, (SELECT count(*) FROM (SELECT usr FROM held UNION SELECT usr FROM live WHERE usr IS NOT NULL) u) AS users`)),
    uses: await ask(`${selected} SELECT sum(n) AS uses, coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, coalesce(sum(n) FILTER (WHERE outcome <> 1), 0) AS denied,
      coalesce(sum(records) FILTER (WHERE outcome = 1), 0) AS records, coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0) AS bytes
      FROM access a WHERE a.tenant = $1 AND ${uses?.() ?? 'a.tok IN (SELECT key FROM reached)'}`),
  } as { tokens: number; stopped: number; grants: number; users: number; uses: Record<string, number> };
}

const blast = (start: Start, more: Record<string, string> = {}): Promise<BlastAnswer> =>
  questions.reach.blast(asker, { ...start.query(), ...more });

describe.each(STARTS)('$name', (start) => {
  it('has the counts of plain SQL, and the preview of its rule has the same counts', async () => {
    const expected = await countBySql(start);
    const { tokens, reachable, grants, usage, rules, ...rest } = await blast(start);
    expect(JSON.stringify({ tokens, reachable, grants, usage, rules, rest })).not.toContain('at_least');
    expect({ live: tokens.live, stopped: tokens.stopped, left_out: tokens.left_out }).toEqual({
      live: expected.tokens - expected.stopped,
      stopped: expected.stopped,
      left_out: expected.tokens - expected.stopped - tokens.newest.length,
    });
    expect([reachable.users.count, grants.count]).toEqual([expected.users, expected.grants]);
    expect(usage).toMatchObject(expected.uses);
    const total = (member: 'allowed' | 'denied' | 'records' | 'bytes') =>
      [usage.operations, usage.resources.top].map((of) => of.reduce((sum, one) => sum + one[member], 0));
    for (const member of ['allowed', 'denied', 'records', 'bytes'] as const)
      expect([member, ...total(member)]).toEqual([member, expected.uses[member], expected.uses[member]]);
    expect(rules.map(({ order }) => order.selector)[0]).toEqual(start.selector());
    const [{ preview, live_tokens: live }] = rules as [(typeof rules)[number]];
    expect({ live, ...preview }).toMatchObject({
      live: tokens.live,
      tokens: tokens.live + tokens.stopped,
      users: reachable.users.count,
      grants: grants.count,
    });
    expect(await revocations.preview(asker, { selector: start.selector() })).toEqual(preview);
  });

  it('has the same counts as of the last entry', async () => {
    const { as_of: asOf, ...present } = await blast(start, { preview: 'false', since: String(now - 86_400) });
    const { as_of: _, ...past } = await blast(start, {
      preview: 'false',
      since: String(now - 86_400),
      as_of: asOf.index,
    });
    expect(past).toEqual(present);
  });
});

it.each<[string, Selector]>([
  ['everything', { all: true }],
  ['an issuer', { issuer: RAS }],
  ['a type of agent', { agent_type: 'assistant' }],
])('the preview of %s is exact', async (_name, selector) => {
  const { rows } = await stage.database.pool.query<{ tokens: string; users: string; grants: string }>(
    `SELECT (SELECT count(*) FROM token t WHERE t.tenant = $1 AND ${LIVE}) AS tokens, (SELECT count(DISTINCT usr) FROM grant_version WHERE tenant = $1 AND to_ix IS NULL) AS users,
       (SELECT count(*) FROM grant_version WHERE tenant = $1 AND to_ix IS NULL) AS grants`,
    [stage.tenant],
  );
  const { tokens, users, grants } = rows[0]!;
  const preview = await revocations.preview(asker, { selector, ...('all' in selector ? { confirm: true } : {}) });
  expect(preview).not.toHaveProperty('at_least');
  expect(preview).toMatchObject({ tokens: Number(tokens), users: Number(users), grants: Number(grants) });
});

it('an incident report counts every token that its rule hit, and every use', async () => {
  const { id } = await revocations.order(asker, {
    selector: { user: { iss: IDP, sub: 'user-0' } },
    reason: 'compromised',
  });
  const expected = await countBySql(STARTS.find(({ name }) => name === 'a user')!);
  const { report } = await untilRecorded(id);
  expect(report.hit).toMatchObject({ live_tokens: expected.tokens });
  expect(report.before).toMatchObject({
    allowed: expected.uses['allowed'],
    denied: expected.uses['denied'],
    records: expected.uses['records'],
  });
  expect(JSON.stringify(report)).not.toContain('at_least');
});

async function untilRecorded(rule: string): Promise<Awaited<ReturnType<Questions['reports']['incident']>>> {
  let found: Awaited<ReturnType<Questions['reports']['incident']>> | undefined;
  await until('the rule to be recorded', async () => {
    found = await questions.reports.incident(stage.tenant, { rule }).catch(() => undefined);
    return found !== undefined;
  });
  return found!;
}
