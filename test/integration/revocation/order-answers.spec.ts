import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent, RescindError } from '../../../src/contracts/index.js';
import type { Caller } from '../../../src/control/index.js';
import {
  createRevocations,
  type LiftConfirmation,
  type OrderConfirmation,
  type Revocations,
} from '../../../src/revocation/index.js';
import type { Selector } from '../../../src/rules/index.js';
import { API, createStage, fromChat, fromIdp, IDP, idJag, RAS, token, type Stage } from '../../support/stage.js';

const USERS = 30;
const userOf = (nth: number): { user: { iss: string; sub: string } } => ({ user: { iss: IDP, sub: `user-${nth}` } });
const client = { client: { iss: IDP, client_id: 'wiki-at-idp' } };
const reason = 'spec';
/** Specs wait as long as a busy machine takes. */
const PATIENT = { askMs: 50_000, tellMs: 50_000 };

const failure = async (work: Promise<unknown>): Promise<RescindError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) throw new Error('nothing was refused');
  return error as RescindError;
};

/** Thirty users of one IdP, one application and one resource, and one application that a few use. */
describe('the answer to an order and to a lift', () => {
  let stage: Stage;
  let revocations: Revocations;
  const callers: Record<string, Caller> = {};

  beforeAll(async () => {
    stage = await createStage();
    const { registry, follower, controlLog, database, tenant } = stage;
    await registry.createCaller({ id: 'admin', tenant }, { id: 'analyst', roles: { revoke: { tenant: true } } });
    await registry.createCaller(
      { id: 'admin', tenant },
      { id: 'narrow', roles: { revoke: { issuers: [IDP], resources: [] } } },
    );
    for (const id of ['admin', 'analyst', 'narrow']) callers[id] = follower.state.caller(id)!;
    revocations = createRevocations({ controlLog, follower, pool: database.pool, waits: PATIENT });
    const events: CloudEvent[] = [];
    for (let nth = 0; nth < USERS; nth++) {
      const sub = `user-${nth}`;
      const who = { sub, sid: `s-${nth}`, agent: undefined };
      const lone = nth < 2 ? { client_id: 'bot-at-chat', idp_client_id: 'bot-at-idp' } : {};
      events.push(fromIdp('id-jag.issued', idJag({ jti: `gr-${nth}`, ...who, ...lone })));
      const id_jag = { iss: IDP, jti: `gr-${nth}`, sub, client_id: nth < 2 ? 'bot-at-chat' : 'wiki-at-chat' };
      events.push(
        fromChat('token.issued', token({ jti: `at-${nth}`, sub: `chat-${nth}`, client_id: id_jag.client_id, id_jag })),
      );
    }
    expect((await stage.emit(...events)).filter((result) => 'error' in (result as object))).toEqual([]);
  });
  afterAll(() => stage.stop());

  const order = (selector: Selector, more: object = {}, as = 'analyst', key?: string): Promise<OrderConfirmation> =>
    revocations.order(callers[as]!, { selector, reason, ...more }, key);
  const lift = (id: string, more: object = {}, as = 'analyst'): Promise<LiftConfirmation> =>
    revocations.lift(callers[as]!, id, { reason, ...more });
  const head = (): bigint => stage.follower.state.head;
  const isTold = async (id: string): Promise<boolean> =>
    (await stage.database.pool.query('SELECT FROM rule_version WHERE rule = $1', [id])).rowCount === 1;
  async function untilTold(id: string): Promise<void> {
    for (const until = Date.now() + 30_000; !(await isTold(id)); )
      if (Date.now() > until) throw new Error('the rule is in no entry');
  }

  it('an order says what it hits and that nothing else stops it', async () => {
    const answer = await order(userOf(0));
    expect(answer).toMatchObject({
      hits: { users: 1, tokens: 1, grants: 1, used_in_last_hour: 0 },
      unknown: [],
      other_rules: { rules: [], more: 0 },
    });
    expect(answer.other_rules).not.toHaveProperty('at_least');
    await lift(answer.id, { resume: true });
  });

  it('a lift names the other block of the user, and the revoke that it ordered', async () => {
    const [first, second] = [await order(userOf(1), { reason: 'first' }), await order(userOf(1), { reason: 'second' })];
    expect(second.other_rules).toMatchObject({
      rules: [{ id: first.id, effect: 'block', stops: 'all', reason: 'first', author: { caller: 'analyst' } }],
      more: 0,
    });
    const lifted = await lift(first.id);
    expect(lifted.other_rules).toMatchObject({
      rules: [
        { id: second.id, effect: 'block', stops: 'all', reason: 'second' },
        { id: lifted.revoke, effect: 'revoke', stops: 'all', before: expect.any(String), after_lift_of: first.id },
      ],
      more: 0,
    });
    const last = await lift(second.id, { resume: true });
    expect(last.other_rules!.rules.map(({ id }) => id)).toEqual([lifted.revoke]);
  });

  it('names rules that stop more, and those that stop a part', async () => {
    const part = await order({ ...userOf(2), resource: API }, { until: Math.floor(Date.now() / 1000) + 3_600 });
    const alias = await order({ user: { iss: RAS, sub: 'chat-2' } });
    const issuer = await order({ issuer: IDP }, { confirm: USERS });
    for (const { id } of [part, alias, issuer]) await untilTold(id);
    const mine = await order(userOf(2));
    expect(mine.other_rules!.rules.map(({ id, stops }) => [id, stops])).toEqual([
      [issuer.id, 'all'],
      [alias.id, 'part'],
      [part.id, 'part'],
    ]);
    expect(mine.other_rules!.rules[2]).toMatchObject({ until: expect.any(String), selector: { resource: API } });
    await untilTold(mine.id);
    const lifted = await lift(issuer.id, { resume: true });
    expect(lifted.other_rules!.rules.map(({ id }) => id)).toEqual(expect.arrayContaining([mine.id, part.id]));
    expect(lifted.other_rules!.rules.every(({ stops }) => stops === 'part')).toBe(true);
    for (const { id } of [part, alias, mine]) await lift(id, { resume: true });
  });

  it('shows ten rules and counts the rest, and tells a caller that may not read every rule that there may be more', async () => {
    const ids = [];
    for (let nth = 0; nth < 12; nth++) ids.push((await order(userOf(3), {}, nth === 0 ? 'narrow' : 'analyst')).id);
    const answer = await order(userOf(3), { effect: 'revoke' });
    expect(answer.other_rules).toMatchObject({
      rules: ids
        .slice(2)
        .toReversed()
        .map((id) => ({ id })),
      more: 2,
    });
    expect(answer.other_rules).not.toHaveProperty('at_least');
    expect((await lift(ids[0]!, { resume: true }, 'narrow')).other_rules).toMatchObject({ at_least: true });
    for (const id of ids.slice(1)) await lift(id, { resume: true });
  });

  it.each<[string, Selector, string[]]>([
    ['a user', { user: { iss: IDP, sub: 'nobody' } }, ['user']],
    ['a client at a resource that is there', { client: { iss: IDP, client_id: 'no' }, resource: API }, ['client']],
    ['an agent', { agent: { iss: IDP, id: 'no' } }, ['agent']],
    ['a type of agent', { agent_type: 'no' }, ['agent_type']],
    ['a resource', { resource: 'https://no.example' }, ['resource']],
    ['an issuer', { issuer: 'https://no.example' }, ['issuer']],
    ['a session', { session: { iss: IDP, sid: 'no' } }, ['session']],
    ['a token', { token: { iss: RAS, jti: 'no' } }, ['token']],
    ['an ID-JAG', { id_jag: { iss: IDP, jti: 'no' } }, ['id_jag']],
  ])('says that a name was never seen: %s', async (_, selector, unknown) => {
    expect(await revocations.foresee(callers['analyst']!, { selector })).toMatchObject({ unknown, tokens: 0 });
    const answer = await order(selector);
    expect(answer).toMatchObject({ unknown, hits: { tokens: 0 } });
  });

  it.each<[string, Selector]>([
    ['a session', { session: { iss: IDP, sid: 's-9' } }],
    ['a token', { token: { iss: RAS, jti: 'at-9' } }],
    ['an ID-JAG', { id_jag: { iss: IDP, jti: 'gr-9' } }],
    ['a user by the name at the RAS', { user: { iss: RAS, sub: 'chat-9' } }],
    ['a resource that is registered', { resource: API, session: { iss: IDP, sid: 's-9' } }],
  ])('does not say so of a name that was seen: %s', async (_, selector) => {
    expect(await revocations.foresee(callers['analyst']!, { selector })).toMatchObject({ unknown: [] });
  });

  it('an order that hits a large share is refused with the number, and accepted with it', async () => {
    const before = head();
    const refused = await failure(order(client));
    expect(refused).toMatchObject({
      code: 'confirmation-required',
      extensions: { confirm: USERS - 2, by: 'users', of: USERS, hits: { users: USERS - 2 } },
    });
    expect(refused.detail).toContain('28 of 30 users (93 %)');
    expect(await revocations.foresee(callers['analyst']!, { selector: client })).toMatchObject({
      confirm: USERS - 2,
      users: USERS - 2,
    });
    for (const confirm of [true, 'uncounted', USERS - 13, USERS + 9, 1_000_000]) {
      expect(await failure(order(client, { confirm }))).toMatchObject({
        code: 'confirmation-required',
        extensions: { confirm: USERS - 2 },
      });
    }
    // A caller that may not read the total is not told it.
    expect(await failure(order({ ...client, issuer: IDP }, {}, 'narrow'))).toMatchObject({
      extensions: { confirm: USERS - 2, of: null },
      detail: expect.stringMatching(/^the rule hits 28 users; /),
    });
    expect(await failure(revocations.orderAsync(callers['analyst']!, { selector: client, reason }))).toMatchObject({
      code: 'confirmation-required',
    });
    expect(head()).toBe(before);
    const taken = await order(client, { confirm: USERS + 8 }, 'analyst', 'wide-1');
    expect(taken).toMatchObject({ hits: { users: USERS - 2, tokens: USERS - 2 }, replayed: false });
    await lift(taken.id, { resume: true });
  });

  it('a repetition of an accepted order needs no new confirmation, whatever it hits by now', async () => {
    const narrow = createRevocations({ ...stage, pool: stage.database.pool, confirmShare: 100, waits: PATIENT });
    const body = { selector: client, reason };
    const taken = await narrow.order(callers['analyst']!, body, 'wide-2');
    expect(await revocations.order(callers['analyst']!, body, 'wide-2')).toMatchObject({
      id: taken.id,
      replayed: true,
    });
    expect(await failure(revocations.order(callers['analyst']!, body, 'wide-3'))).toMatchObject({
      code: 'confirmation-required',
    });
    await lift(taken.id, { resume: true });
  });

  it.each<[string, Selector]>([
    ['of few users', { client: { iss: IDP, client_id: 'bot-at-idp' } }],
    ['of one user', userOf(4)],
    ['of a session', { session: { iss: IDP, sid: 's-4' } }],
  ])('an order needs no confirmation: %s', async (_, selector) => {
    expect(await revocations.foresee(callers['analyst']!, { selector })).not.toHaveProperty('confirm');
    const answer = await order(selector);
    if (selector.session === undefined) await lift(answer.id, { resume: true });
  });

  it('an order whose hits cannot be counted requires `uncounted`, and is accepted with it or with a number', async () => {
    const held = { connect: () => new Promise(() => undefined), query: () => new Promise(() => undefined) } as never;
    const { controlLog, follower, database } = stage;
    const blind = createRevocations({
      controlLog,
      follower,
      pool: database.pool,
      questionPool: held,
      waits: { askMs: 10, tellMs: 10 },
    });
    const before = head();
    expect(await failure(blind.order(callers['analyst']!, { selector: { issuer: IDP }, reason }))).toMatchObject({
      code: 'confirmation-required',
      extensions: { confirm: 'uncounted', hits: null },
    });
    expect(head()).toBe(before);
    for (const confirm of ['uncounted', 12]) {
      const answer = await blind.order(callers['analyst']!, { selector: { issuer: IDP }, reason, confirm });
      expect(answer).toMatchObject({ hits: null, unknown: null, other_rules: null, confirmed: { nodes: 1 } });
      expect((await blind.lift(callers['analyst']!, answer.id, { resume: true })).other_rules).toBeNull();
    }
    // An order that concerns one user never waits for a number.
    const user = await blind.order(callers['analyst']!, { selector: userOf(5), reason });
    expect(user).toMatchObject({ hits: null, confirmed: { nodes: 1 } });
    await lift(user.id, { resume: true });
  });

  it('a block that an event has turned into a revoke says when, and by which event', async () => {
    const { sub, iss } = userOf(6).user;
    await stage.emit(fromIdp('user.disabled', { iss, sub }, 'disabled-6'));
    await stage.emit(fromIdp('user.enabled', { iss, sub }, 'enabled-6'));
    const read = async () =>
      (await revocations.list(callers['analyst']!, {})).revocations.find(
        ({ origin }) => origin?.event === 'disabled-6',
      )!;
    const { id } = await read();
    await untilTold(id);
    const entry = String(
      (await stage.database.pool.query("SELECT ix FROM rule_event WHERE event_id = 'enabled-6'")).rows[0].ix,
    );
    const ended = {
      by: 'event',
      at: expect.any(String),
      leaves: 'revoke',
      before: expect.any(String),
      source: stage.idp.id,
      event: 'enabled-6',
      entry,
    };
    expect(await read()).toMatchObject({ state: 'turned-revoke', in_force: true, ended });
    expect(await revocations.read(callers['analyst']!, id)).toMatchObject({ state: 'turned-revoke', ended });
  });

  it('a lifted rule says who lifted it and what it left, and is not in force', async () => {
    const { id } = await order(userOf(7));
    const { revoke } = await lift(id, { on_behalf_of: 'dana' });
    const author = { caller: 'analyst', on_behalf_of: 'dana' };
    const shown = {
      state: 'lifted',
      in_force: false,
      ended: { by: 'lift', leaves: 'revoke', author, revoke, at: expect.any(String), before: expect.any(String) },
      lift: { author, in_force: true },
    };
    expect(await revocations.read(callers['analyst']!, id)).toMatchObject(shown);
    expect((await revocations.list(callers['analyst']!, { limit: '2' })).revocations[1]).toMatchObject({
      id,
      ...shown,
    });
  });

  it('a rule that an event makes needs no confirmation', async () => {
    const before = head();
    await stage.emit(fromIdp('client.disabled', { iss: IDP, idp_client_id: 'wiki-at-idp', ras: [] }));
    expect(head()).toBeGreaterThan(before);
    await stage.emit(fromIdp('client.enabled', { iss: IDP, idp_client_id: 'wiki-at-idp', ras: [] }));
  });
});
