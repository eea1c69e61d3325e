import { beforeEach, describe, expect, it } from '@jest/globals';
import { RescindError, timeText } from '../contracts/index.js';
import {
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type Appended,
  type Caller,
  type Command,
  type ControlFollower,
  type ControlLog,
  type ControlRecord,
  type RuleRecord,
  type Seq,
} from '../control/index.js';
import { createRevocations, type Revocations } from './index.js';

const NOW_S = 1_790_000_000;
const SKEW_S = 90;
const CONFIRMED = { nodes: 1, guards: 2, expired: 0 };
const admin: Caller = { id: 'admin', tenant: 't', roles: { revoke: { tenant: true } }, secrets: [], disabled: false };
const user = { user: { iss: 'https://idp.example', sub: 'u' } };
const order = (over: object = {}) => ({ selector: user, reason: 'left', ...over });

/** Decisions before and after the control log. Specs with a database cover what it stores and reads. */
describe('orders', () => {
  let state: ReturnType<typeof createControlState>;
  let commands: Command[];
  let waited: unknown[];
  let inForce: typeof CONFIRMED | Error;
  let append: Partial<Appended>;
  let earlier: ControlRecord[];
  let sut: Revocations;

  const apply = (record: object): void =>
    state.apply({
      version: 1,
      at: NOW_S * 1000,
      tenant: 't',
      seq: (state.head + 1n) as Seq,
      ...record,
    } as ControlRecord);
  const source = (id: string, skew: number, tenant = 't') => ({
    id,
    name: id,
    uri: `https://${id}.example`,
    topic: id,
    types: [],
    issuers: [],
    resources: [],
    profile: { ...DEFAULT_TOKEN_PROFILE, skew },
    disabled: false,
    tenant,
  });

  beforeEach(() => {
    [commands, waited, inForce, append, earlier] = [[], [], CONFIRMED, {}, []];
    state = createControlState();
    for (const id of ['t', 'other'])
      apply({
        kind: 'tenant.changed',
        tenant: id,
        subject: id,
        body: { id, name: id, key: Buffer.alloc(32, 1).toString('base64url') },
      });
    apply({ kind: 'source.changed', subject: 'a', body: source('a', 30) });
    apply({ kind: 'source.changed', subject: 'b', body: source('b', SKEW_S) });
    apply({ kind: 'source.changed', tenant: 'other', subject: 'c', body: source('c', 300) });
    const nothing = () => Promise.reject(new Error('nothing is asked of the database'));
    const pool = { query: nothing, connect: nothing } as never;
    const follower = {
      state,
      onApplied: () => undefined,
      async whenInForce(seq: Seq, tenant?: string) {
        waited.push([seq, tenant]);
        if (inForce instanceof Error) throw inForce;
        return inForce;
      },
    } as unknown as ControlFollower;
    const controlLog = {
      async append(command: Command) {
        commands.push(command);
        const firstSeq = (state.head + 1n) as Seq;
        if (append.replayed !== true && append.same !== false) for (const record of command.records) apply(record);
        return { firstSeq, lastSeq: state.head, replayed: false, same: true, ...append };
      },
      readRange: async () => earlier,
    } as unknown as ControlLog;
    sut = createRevocations({ controlLog, follower, pool, now: () => NOW_S * 1000 + 999 });
  });

  const body = (): RuleRecord => commands[0]!.records[0]!.body as RuleRecord;

  it('are stored as they are given, and answered when they are in force', async () => {
    const answer = await sut.order(admin, order({ on_behalf_of: 'ann' }));
    expect(body()).toMatchObject({
      selector: user,
      effect: 'block',
      reason: 'left',
      reauthenticate: false,
      author: { caller: 'admin', on_behalf_of: 'ann' },
    });
    expect(body()).not.toHaveProperty('on_behalf_of');
    expect(commands[0]).not.toHaveProperty('once');
    expect(answer).toEqual({
      id: body().id,
      seq: String(state.head),
      confirmed: CONFIRMED,
      ms: expect.any(Number),
      regrant_after: null,
      replayed: false,
      hits: null,
      unknown: null,
      other_rules: null,
    });
    expect(answer.ms).toBeLessThan(60_000);
    expect(waited).toEqual([[state.head, 't']]);
  });

  it.each<[string, object, string | null]>([
    ['a revoke as of a moment', { effect: 'revoke', before: NOW_S - 100 }, timeText(NOW_S - 100 + SKEW_S)],
    ['a revoke as of its order', { effect: 'revoke' }, timeText(NOW_S + SKEW_S)],
    ['a block until a moment', { effect: 'block', until: NOW_S + 100 }, timeText(NOW_S + 100 + SKEW_S)],
    ['a block without an end', {}, null],
    ['a token', { selector: { token: { sha256: Buffer.alloc(32, 1).toString('base64url') } } }, null],
  ])(
    'say what is granted again after them, by the largest skew of the sources of the tenant: %s',
    async (_, over, expected) => {
      expect((await sut.order(admin, order(over))).regrant_after).toBe(expected);
    },
  );

  it('that are wanted short are answered with what was confirmed and no more', async () => {
    expect(Object.keys(await sut.order(admin, order(), undefined, 'minimal'))).toEqual([
      'id',
      'seq',
      'confirmed',
      'ms',
      'regrant_after',
      'replayed',
    ]);
  });

  it('that cannot be confirmed are refused with their id and seq; another failure is passed on', async () => {
    inForce = new RescindError('not-confirmed');
    const refused: unknown = await sut.order(admin, order()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'not-confirmed', extensions: { id: body().id, seq: String(state.head) } });
    inForce = new RescindError('database-unavailable');
    await expect(sut.order(admin, order())).rejects.toBe(inForce);
    inForce = new TypeError('a defect');
    await expect(sut.order(admin, order())).rejects.toBe(inForce);
  });

  it('that nobody waits for are answered when they are stored', async () => {
    expect(await sut.orderAsync(admin, order(), 'key-1')).toEqual({
      id: body().id,
      seq: String(state.head),
      in_force: false,
    });
    expect(commands[0]!.once).toEqual({
      key: ['idempotency', 't', 'admin', 'key-1'],
      content: expect.any(String),
      keepSeconds: 172_800,
    });
    expect(waited).toEqual([]);
    expect(body().author).toStrictEqual({ caller: 'admin' });
  });

  it('given again under the same key are those that were given before', async () => {
    append = { replayed: true };
    earlier = [
      { kind: 'rule.lifted', body: { id: 'no' } },
      { kind: 'rule.ordered', body: { id: 'first' } },
      { kind: 'rule.ordered', body: { id: 'second' } },
    ] as unknown as ControlRecord[];
    expect(await sut.order(admin, order(), 'key-1')).toMatchObject({ id: 'first', replayed: true });
    append = { same: false };
    await expect(sut.order(admin, order(), 'key-1')).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  });

  it.each<[string, Caller, object, string | undefined, string]>([
    ['a caller whose tenant is gone', { ...admin, tenant: 'gone' }, order(), undefined, 'forbidden'],
    ['a caller without the role', { ...admin, roles: {} }, order(), undefined, 'forbidden'],
    ['an order without a reason', admin, { selector: user }, undefined, 'reason-required'],
    ['an empty key', admin, order(), '', 'invalid-idempotency-key'],
    ['a key with a space', admin, order(), 'a b', 'invalid-idempotency-key'],
    ['a key that is too long', admin, order(), 'x'.repeat(256), 'invalid-idempotency-key'],
    ['an end that is now', admin, order({ until: NOW_S }), undefined, 'time-not-future'],
    ['a moment that is to come', admin, order({ effect: 'revoke', before: NOW_S + 1 }), undefined, 'time-not-past'],
  ])('are refused, and nothing is stored: %s', async (_, caller, given, key, code) => {
    await expect(sut.order(caller, given, key)).rejects.toMatchObject({ code });
    await expect(sut.orderAsync(caller, given, key)).rejects.toMatchObject({ code });
    expect(commands).toEqual([]);
  });

  it.each([['0'], ['201'], ['-1'], ['1.5'], ['1e2'], [''], ['00001']])(
    'cannot be listed by a page of %j',
    async (limit) => {
      await expect(sut.list(admin, { limit })).rejects.toMatchObject({ code: 'invalid-request' });
    },
  );

  it.each([[{}], [{ limit: '1' }], [{ limit: '200' }], [{ cursor: Buffer.from('rules 7').toString('base64url') }]])(
    'can be listed by %j',
    async (query) => {
      await expect(sut.list(admin, query)).rejects.toThrow('nothing is asked of the database');
    },
  );

  it.each([['rules 7'], ['rules 0'], ['other 7'], ['rules 7 '], ['rules -7'], [`rules ${'9'.repeat(19)}`]])(
    'cannot be listed from a cursor that says %j',
    async (text) => {
      const cursor = text === 'rules 7' ? text : Buffer.from(text).toString('base64url');
      await expect(sut.list(admin, { cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
    },
  );

  it.each<[string, () => Promise<unknown>]>([
    ['looked at beforehand', () => sut.preview({ ...admin, tenant: 'gone' }, order())],
    ['lifted', () => sut.lift({ ...admin, tenant: 'gone' }, 'id', {})],
    ['listed', () => sut.list({ ...admin, tenant: 'gone' }, {})],
    ['read', () => sut.read({ ...admin, tenant: 'gone' }, 'id')],
  ])('are not %s for a caller whose tenant is gone', async (_, act) => {
    await expect(act()).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('are looked at beforehand by those who may give them, and by auditors', async () => {
    await expect(sut.preview({ ...admin, roles: {} }, { selector: user })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(sut.preview({ ...admin, roles: { audit: {} } } as Caller, { selector: user })).rejects.toThrow(
      'nothing is asked of the database',
    );
  });

  it('are lifted with a body that can be read', async () => {
    await expect(sut.lift(admin, 'id', { resume: 'yes' })).rejects.toMatchObject({ code: 'invalid-request' });
  });
});
