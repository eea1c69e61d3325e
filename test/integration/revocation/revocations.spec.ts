import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RescindError, timeText } from '../../../src/contracts/index.js';
import { createControlState, type Caller, type ControlFollower, type Seq } from '../../../src/control/index.js';
import {
  createRevocations,
  type Revocations,
  type RulePage,
  type RuleQuery,
  type RuleView,
} from '../../../src/revocation/index.js';
import { tokenKeys, type Lineage, type TokenKeys } from '../../../src/rules/index.js';
import { CHAT_SOURCE, IDP_SOURCE, startControl, type ControlFixture } from '../registry/control-fixture.js';

const IDP = IDP_SOURCE.issuers[0]!;
const RAS = CHAT_SOURCE.issuers[0]!;
const API = CHAT_SOURCE.resources[0]!;
const seconds = (): number => Math.floor(Date.now() / 1000);
const reason = 'spec';

const failure = async (work: Promise<unknown>): Promise<RescindError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RescindError)) throw new Error('expected a RescindError', { cause: error });
  return error;
};

describe('revocations on PostgreSQL', () => {
  let control: ControlFixture;
  let revocations: Revocations;
  let analyst: Caller;
  let admin: Caller;

  beforeAll(async () => {
    control = await startControl();
    const { registry, follower, controlLog, database } = control;
    await registry.createSource(control.admin, { ...IDP_SOURCE, profile: { skew: 7 } });
    await registry.createSource(control.admin, CHAT_SOURCE);
    await registry.createCaller(control.admin, { id: 'analyst', roles: { revoke: { tenant: true } } });
    revocations = createRevocations({ controlLog, follower, pool: database.pool });
    analyst = follower.state.caller('analyst')!;
    admin = follower.state.caller('admin')!;
  });
  afterAll(() => control.stop());

  const tenant = () => control.follower.state.tenant(admin.tenant)!;

  /** A token that Rescind has known since `seenSeq`. */
  function tokenOf(sub: string, iat: number, seenSeq: bigint = control.follower.state.head): TokenKeys {
    const lineage: Lineage = {
      tokens: [
        {
          iss: RAS,
          jti: `at-${sub}`,
          client_id: 'wiki-at-chat',
          aud: [API],
          iat,
          id_jag: { iss: IDP, jti: `gr-${sub}`, sub, iat },
        },
      ],
      idJags: [],
      seenSeq,
      skew: 5,
    };
    return tokenKeys(tenant().key, lineage)!;
  }
  const isStopped = (token: TokenKeys): boolean => tenant().rules.findStopping(token, seconds()) !== undefined;
  const user = (sub: string) => ({ user: { iss: IDP, sub } });

  it('orders a block that is in force when it is answered, also for tokens granted later', async () => {
    const confirmation = await revocations.order(analyst, { selector: user('ann'), reason, on_behalf_of: 'bob' });
    expect(confirmation).toMatchObject({
      confirmed: { nodes: 1, guards: 0, expired: 0 },
      regrant_after: null,
      replayed: false,
    });
    expect(confirmation.ms).toBeGreaterThan(0);
    expect(isStopped(tokenOf('ann', seconds()))).toBe(true);
    expect(isStopped(tokenOf('ann', seconds() + 3_600))).toBe(true);
    expect(isStopped(tokenOf('other', seconds()))).toBe(false);
    expect(await revocations.read(analyst, confirmation.id)).toMatchObject({
      id: confirmation.id,
      seq: confirmation.seq,
      state: 'live',
      effect: 'block',
      selector: user('ann'),
      reason,
      author: { caller: 'analyst', on_behalf_of: 'bob' },
    });
  });

  it('orders a revoke as of now: known tokens are stopped, tokens granted after the skew are not', async () => {
    const ahead = tokenOf('ben', seconds() + 120);
    const confirmation = await revocations.order(analyst, { selector: user('ben'), effect: 'revoke', reason });
    const now = seconds();
    expect([timeText(now + 6), timeText(now + 7)]).toContain(confirmation.regrant_after);
    expect(isStopped(tokenOf('ben', now - 60))).toBe(true);
    expect(isStopped(ahead)).toBe(true);
    expect(isStopped(tokenOf('ben', now + 120))).toBe(false);
  });

  it('stops everything for an administrator that confirms', async () => {
    expect((await failure(revocations.order(analyst, { selector: { all: true }, reason, confirm: true }))).code).toBe(
      'selector-too-wide',
    );
    expect((await failure(revocations.order(admin, { selector: { all: true }, reason }))).code).toBe(
      'confirmation-required',
    );
    const { id } = await revocations.order(admin, { selector: { all: true }, reason, confirm: true });
    expect(isStopped(tokenOf('anybody', seconds() + 60))).toBe(true);
    await revocations.lift(admin, id, { resume: true });
    expect(isStopped(tokenOf('anybody', seconds()))).toBe(false);
  });

  it('orders once under an Idempotency-Key, waits again for a retry, and refuses another body', async () => {
    const body = { selector: user('cid'), reason };
    const answers = await Promise.all([1, 2, 3].map(() => revocations.order(analyst, body, 'key-1')));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await revocations.order(analyst, { reason, selector: user('cid') }, 'key-1')).toMatchObject({
      id: answers[0]!.id,
      replayed: true,
    });
    expect((await failure(revocations.order(analyst, { ...body, reason: 'other' }, 'key-1'))).code).toBe(
      'idempotency-key-reused',
    );
    expect(await revocations.order(admin, { ...body, reason: 'other' }, 'key-1')).toMatchObject({ replayed: false });
    expect((await failure(revocations.order(analyst, body, 'a key'))).code).toBe('invalid-idempotency-key');
    expect((await failure(revocations.order(analyst, body, ''))).code).toBe('invalid-idempotency-key');
  });

  it('lifts a block and keeps the stopped tokens revoked, in one command', async () => {
    const { id } = await revocations.order(analyst, { selector: user('dan'), reason });
    const stopped = tokenOf('dan', seconds());
    const lifted = await revocations.lift(analyst, id, { reason: 'cleared' });
    expect(lifted).toMatchObject({
      id,
      revoke: expect.any(String),
      replayed: false,
      regrant_after: expect.any(String),
    });
    expect(isStopped(stopped)).toBe(true);
    expect(isStopped(tokenOf('dan', Date.parse(lifted.regrant_after!) / 1000 + 1))).toBe(false);
    expect(await revocations.read(analyst, id)).toMatchObject({
      state: 'lifted',
      lift: { resume: false, reason: 'cleared', author: { caller: 'analyst' } },
    });
    expect(await revocations.read(analyst, lifted.revoke!)).toMatchObject({
      state: 'live',
      effect: 'revoke',
      after_lift_of: id,
    });
    expect(await revocations.lift(analyst, id, { reason: 'cleared' })).toMatchObject({
      id,
      revoke: lifted.revoke,
      replayed: true,
    });
    expect((await failure(revocations.lift(analyst, id, { reason: 'cleared', resume: true }))).code).toBe(
      'already-lifted',
    );
  });

  it('never shows a moment in which neither the block nor its revoke stops', async () => {
    const { id } = await revocations.order(analyst, { selector: user('eve'), reason });
    const stopped = tokenOf('eve', seconds());
    const { seq } = await revocations.lift(analyst, id, {});
    // A process that has read one of the two records and not yet the other.
    const state = createControlState();
    const seen: [kind: string, stops: boolean][] = [];
    for (const record of await control.controlLog.readAfter(0n as Seq)) {
      state.apply(record);
      const isAbout = record.subject === id || record.seq === BigInt(seq) || record.seq === BigInt(seq) - 1n;
      if (isAbout)
        seen.push([record.kind, state.tenant(admin.tenant)!.rules.findStopping(stopped, seconds()) !== undefined]);
    }
    expect(seen).toEqual([
      ['rule.ordered', true],
      ['rule.ordered', true],
      ['rule.lifted', true],
    ]);
  });

  it('lifts with resume the stop of tokens that only the block had stopped', async () => {
    const { id } = await revocations.order(analyst, { selector: user('fay'), reason });
    const stopped = tokenOf('fay', seconds());
    const lifted = await revocations.lift(analyst, id, { resume: true, reason: 'false alarm' });
    expect(lifted).not.toHaveProperty('revoke');
    expect(isStopped(stopped)).toBe(false);
  });

  it('refuses to lift a revoke, an unknown rule, and a rule of another tenant', async () => {
    const { id } = await revocations.order(analyst, { selector: user('gus'), effect: 'revoke', reason });
    expect((await failure(revocations.lift(analyst, id, {}))).code).toBe('not-liftable');
    expect((await failure(revocations.lift(analyst, 'nothing', {}))).code).toBe('not-found');
    await control.registry.createTenant(control.admin, { name: 'globex' });
    const globex: Caller = {
      ...control.follower.state.caller('globex-admin')!,
      roles: { admin: {}, revoke: { tenant: true } },
    };
    expect((await failure(revocations.lift(globex, id, {}))).code).toBe('not-found');
    expect((await failure(revocations.read(globex, id))).code).toBe('not-found');
    expect((await revocations.list(globex, {})).revocations).toEqual([]);
  });

  describe('of a caller that is bound to a resource', () => {
    const narrow = (): Caller => ({
      ...analyst,
      id: 'chat-team',
      roles: { revoke: { issuers: [RAS], resources: [API] } },
    });
    const atChat = (sub: string) => ({ ...user(sub), resource: API });

    it('lifts its own orders, and none of others, with or without resume', async () => {
      const own = await revocations.order(narrow(), { selector: atChat('ivy'), reason });
      expect(await revocations.lift(narrow(), own.id, {})).toMatchObject({ id: own.id });
      const others = await revocations.order(analyst, { selector: atChat('mallory'), reason: 'investigation' });
      const wide = await revocations.order(analyst, { selector: user('mallory'), reason: 'investigation' });
      const stopped = tokenOf('mallory', seconds() + 3_600);
      for (const resume of [true, false]) {
        expect((await failure(revocations.lift(narrow(), others.id, { resume }))).code).toBe('forbidden');
        expect((await failure(revocations.lift(narrow(), wide.id, { resume }))).code).toBe('selector-too-wide');
      }
      expect([await revocations.read(analyst, others.id), await revocations.read(analyst, wide.id)]).toMatchObject([
        { state: 'live' },
        { state: 'live' },
      ]);
      expect(isStopped(stopped)).toBe(true);
      // A caller that may revoke for the whole tenant lifts the team's blocks.
      const second = await revocations.order(narrow(), { selector: atChat('kim'), reason });
      expect(await revocations.lift(analyst, second.id, { resume: true })).toMatchObject({ id: second.id });
    });

    it('reads its own rules and those within its bound, an auditor all', async () => {
      const own = await revocations.order(narrow(), { selector: { client: { iss: RAS, client_id: 'wiki' } }, reason });
      const within = await revocations.order(analyst, { selector: atChat('lea'), reason });
      const beyond = await revocations.order(analyst, { selector: user('lea'), reason: 'secret investigation' });
      const page = await revocations.list(narrow(), { limit: '200' });
      const listed = page.revocations.map(({ id }) => id);
      expect([listed.includes(own.id), listed.includes(within.id), listed.includes(beyond.id)]).toEqual([
        true,
        true,
        false,
      ]);
      expect(JSON.stringify(page)).not.toContain('secret investigation');
      expect(await revocations.read(narrow(), within.id)).toMatchObject({ id: within.id });
      expect((await failure(revocations.read(narrow(), beyond.id))).code).toBe('not-found');
      const former: Caller = { ...narrow(), roles: { revoke: { issuers: [], resources: ['https://other.example'] } } };
      expect(await revocations.read(former, own.id)).toMatchObject({ id: own.id });
      const auditor: Caller = { ...narrow(), id: 'auditor', roles: { audit: {} } };
      expect(await revocations.read(auditor, beyond.id)).toMatchObject({ id: beyond.id });
      // Page by page it comes to the same, though most rules are not its to read.
      const seen: string[] = [];
      for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
        const next = await revocations.list(narrow(), { limit: '1', cursor });
        seen.push(...next.revocations.map(({ id }) => id));
        cursor = next.next;
      }
      expect(seen).toEqual(listed);
    });
  });

  it('turns a block into a revoke at its end', async () => {
    let nowMs = Date.now();
    const later = createRevocations({ ...control, pool: control.database.pool, now: () => nowMs });
    const until = seconds() + 60;
    const { id, regrant_after: regrantAfter } = await later.order(analyst, { selector: user('hal'), until, reason });
    expect(regrantAfter).toBe(timeText(until + 7));
    expect(await later.read(analyst, id)).toMatchObject({ state: 'live', until: timeText(until) });
    nowMs += 60_000;
    expect(await later.read(analyst, id)).toMatchObject({ state: 'turned-revoke' });
    expect((await failure(later.lift(analyst, id, {}))).code).toBe('not-liftable');
  });

  it('lists the newest first, page by page, without keys', async () => {
    const pages: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await revocations.list(analyst, { limit: '3', cursor });
      expect(page.revocations.length).toBeLessThanOrEqual(3);
      pages.push(...page.revocations.map(({ seq }) => seq));
      expect(JSON.stringify(page)).not.toMatch(/"(key|shape)"/);
      cursor = page.next;
    } while (cursor !== undefined);
    const whole = (await revocations.list(analyst, { limit: '200' })).revocations.map(({ seq }) => seq);
    expect(pages).toEqual(whole);
    expect(whole).toEqual([...whole].sort((one, other) => Number(BigInt(other) - BigInt(one))));
    expect((await failure(revocations.list(analyst, { cursor: 'x' }))).code).toBe('invalid-cursor');
    for (const limit of ['0', '201', 'many'])
      expect((await failure(revocations.list(analyst, { limit }))).code).toBe('invalid-request');
  });

  it('lists only rules of a state and an effect, page by page, and refuses others', async () => {
    const { revocations: all } = await revocations.list(analyst, { limit: '200' });
    for (const [query, fits] of [
      [{ state: 'lifted' }, (one) => one.state === 'lifted'],
      [{ state: 'lifted,live' }, (one) => one.state !== 'turned-revoke' && one.state !== 'expired'],
      [{ effect: 'revoke' }, (one) => one.effect === 'revoke'],
      [{ state: 'live', effect: 'block' }, (one) => one.state === 'live' && one.effect === 'block'],
    ] as readonly [RuleQuery, (one: RuleView) => boolean][]) {
      const expected = all.filter(fits).map(({ id }) => id);
      expect(expected.length).toBeGreaterThan(0);
      const listed: string[] = [];
      for (let next: Pick<RuleQuery, 'cursor'> | undefined = {}; next !== undefined; ) {
        const page: RulePage = await revocations.list(analyst, { ...query, ...next, limit: '1' });
        listed.push(...page.revocations.map(({ id }) => id));
        next = page.next === undefined ? undefined : { cursor: page.next };
      }
      expect(listed).toEqual(expected);
    }
    for (const query of [{ state: 'gone' }, { state: 'live,' }, { effect: 'lift' }])
      expect((await failure(revocations.list(analyst, query))).code).toBe('invalid-request');
  });

  it('does not acknowledge an order that it cannot confirm, names the rule, and waits again', async () => {
    const unsure: ControlFollower = {
      ...control.follower,
      state: control.follower.state,
      whenInForce: () => Promise.reject(new RescindError('not-confirmed')),
    };
    const cut = createRevocations({ ...control, follower: unsure, pool: control.database.pool });
    const error = await failure(cut.order(analyst, { selector: user('ida'), reason }, 'key-2'));
    expect(error).toMatchObject({
      code: 'not-confirmed',
      retryable: true,
      extensions: { id: expect.any(String), seq: expect.any(String) },
    });
    const retried = await revocations.order(analyst, { selector: user('ida'), reason }, 'key-2');
    expect(retried).toMatchObject({ id: error.extensions!['id'], replayed: true });
  });
});
