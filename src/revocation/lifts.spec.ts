import { beforeEach, describe, expect, it } from '@jest/globals';
import { timeText, type RescindError } from '../contracts/index.js';
import {
  createControlState,
  type Appended,
  type Caller,
  type Command,
  type ControlFollower,
  type ControlLog,
  type ControlRecord,
  type LiftRecord,
  type RuleRecord,
  type Seq,
} from '../control/index.js';
import type { RuleReader, StoredRule } from './recorded/rule-reader.pg.js';
import { createRevocationsOn, type Revocations } from './revocations.js';

const NOW_S = 1_790_000_000;
const IDP = 'https://idp.example';
const alice = { user: { iss: IDP, sub: 'alice' } };
const caller = (id: string, roles: Caller['roles']): Caller => ({
  id,
  tenant: 't',
  roles,
  secrets: [],
  disabled: false,
});
const admin = caller('admin', { revoke: { tenant: true } });
const team = caller('team', { revoke: { issuers: [IDP], resources: [] } });
const foreign = { user: { iss: 'https://other.example', sub: 'bob' } };

/** Rules are read back from the appended records. Specs with a database cover what PostgreSQL does with them. */
describe('a rule that was ordered', () => {
  let state: ReturnType<typeof createControlState>;
  let log: ControlRecord[];
  let commands: Command[];
  let answer: Partial<Appended>;
  let confirmedUpTo: Seq;
  let nowS: number;
  let askedForEnds: (readonly string[])[];
  let sut: Revocations;

  const apply = (record: object): void => {
    const whole = {
      version: 1,
      at: NOW_S * 1000,
      tenant: 't',
      seq: (state.head + 1n) as Seq,
      ...record,
    } as ControlRecord;
    state.apply(whole);
    log.push(whole);
  };
  const stored = (): StoredRule[] =>
    log.flatMap((record) => {
      if (record.kind !== 'rule.ordered') return [];
      const lift = log.find((one) => one.kind === 'rule.lifted' && one.body.rule === record.subject);
      return [
        {
          seq: record.seq,
          at: record.at,
          body: record.body,
          ...(lift ? { lift: { ...(lift.body as LiftRecord), at: lift.at, seq: lift.seq } } : {}),
        },
      ];
    });
  const reader: RuleReader = {
    page: async (tenant, before, limit) =>
      (tenant === 't' ? stored() : [])
        .filter(({ seq }) => before === undefined || seq < before)
        .toReversed()
        .slice(0, limit),
    find: async (tenant, id) => (tenant === 't' ? stored().find(({ body }) => body.id === id) : undefined),
    unknownTokens: async () => [],
    async enablings(_, ids) {
      askedForEnds.push(ids);
      return new Map();
    },
  };

  beforeEach(() => {
    [state, log, commands, answer, confirmedUpTo, nowS, askedForEnds] = [
      createControlState(),
      [],
      [],
      {},
      1_000n as Seq,
      NOW_S,
      [],
    ];
    apply({
      kind: 'tenant.changed',
      subject: 't',
      body: { id: 't', name: 't', key: Buffer.alloc(32, 1).toString('base64url') },
    });
    const follower = {
      state,
      onApplied: () => undefined,
      whenInForce: async () => ({ nodes: 1, guards: 0, expired: 0 }),
      inForceUpTo: async () => confirmedUpTo,
    } as unknown as ControlFollower;
    const controlLog = {
      async append(command: Command) {
        commands.push(command);
        const firstSeq = (state.head + 1n) as Seq;
        if (Object.keys(answer).length === 0) for (const record of command.records) apply(record);
        return { firstSeq, lastSeq: state.head, replayed: false, same: true, ...answer };
      },
      readRange: async (first: Seq, last: Seq) => log.filter(({ seq }) => seq >= first && seq <= last),
    } as unknown as ControlLog;
    const nothing = async () => Promise.reject(new Error('nothing is counted'));
    const counting = {
      previews: { read: nothing },
      surroundings: { read: nothing, readUnknown: nothing },
      freshUsers: 100,
      confirmShare: 10,
    };
    sut = createRevocationsOn({
      controlLog,
      follower,
      rules: reader,
      shownRules: reader,
      ...counting,
      now: () => nowS * 1000,
    });
  });

  const order = async (over: object = {}, by = admin): Promise<string> =>
    (await sut.order(by, { selector: alice, reason: 'left', ...over })).id;
  const codeOf = (act: Promise<unknown>): Promise<string> =>
    act.then(
      () => 'done',
      (error: RescindError) => error.code,
    );
  const stateOf = async (id: string): Promise<string> => (await sut.read(admin, id)).state;

  it('is asked for the event that ended it where an event made it, it stands no more, and nobody lifted it', async () => {
    const [origin, { body }] = [{ event: 'e-1', at: 0 }, (await order(), stored()[0]!)];
    const turned = (id: string, more: object = {}) => ({
      kind: 'rule.ordered',
      subject: id,
      version: 1,
      body: { ...body, id, origin, effect: 'block', ...more },
    });
    for (const record of [
      turned('gone'),
      turned('lifted'),
      turned('revoke', { effect: 'revoke' }),
      turned('no-event', { origin: undefined }),
    ])
      log.push({
        at: NOW_S * 1000,
        tenant: 't',
        seq: (state.head + BigInt(log.length)) as Seq,
        ...record,
      } as unknown as ControlRecord);
    log.push({
      kind: 'rule.lifted',
      tenant: 't',
      subject: 'lifted',
      version: 1,
      at: NOW_S * 1000,
      seq: 99n as Seq,
      body: { rule: 'lifted', resume: true, reason: '', author: { caller: 'admin' } },
    } as unknown as ControlRecord);
    apply(turned('stands'));
    await sut.list(admin, {});
    expect(askedForEnds).toEqual([['gone']]);
  });

  describe('is lifted', () => {
    it('into a revoke of the same, which comes first', async () => {
      const id = await order({ until: NOW_S + 100 });
      const lift = await sut.lift(admin, id, { reason: 'false alarm', on_behalf_of: 'bob' });
      const { records, once } = commands[1]!;
      expect(records.map(({ kind }) => kind)).toEqual(['rule.ordered', 'rule.lifted']);
      const author = { caller: 'admin', on_behalf_of: 'bob' };
      expect(records[0]!.body).toMatchObject({
        id: lift.revoke,
        selector: alice,
        effect: 'revoke',
        reauthenticate: false,
        reason: 'false alarm',
        after_lift_of: id,
        author,
      });
      expect(Object.keys(records[0]!.body).toSorted()).toEqual([
        'after_lift_of',
        'author',
        'effect',
        'id',
        'key',
        'reason',
        'reauthenticate',
        'selector',
        'shape',
      ]);
      expect(records[1]).toStrictEqual({
        kind: 'rule.lifted',
        tenant: 't',
        subject: id,
        body: { rule: id, resume: false, reason: 'false alarm', author },
      });
      expect(once).toStrictEqual({
        key: ['lift', id],
        content: '{"author":{"caller":"admin","on_behalf_of":"bob"},"reason":"false alarm","resume":false}',
      });
      expect(lift).toMatchObject({ id, seq: String(state.head), regrant_after: timeText(NOW_S), replayed: false });
      expect([await stateOf(id), await stateOf(lift.revoke!)]).toEqual(['lifted', 'live']);
    });

    it('into nothing where it resumes', async () => {
      const id = await order();
      const lift = await sut.lift(admin, id, { resume: true });
      expect(commands[1]!.records.map(({ kind }) => kind)).toEqual(['rule.lifted']);
      expect(lift).not.toHaveProperty('revoke');
      expect(lift).toMatchObject({ id, regrant_after: null });
    });

    it('with every value that it names', async () => {
      const id = await order();
      const { body } = stored()[0]!;
      const several = { ...body, id: 'several', or: { user: [{ iss: IDP, sub: 'carol' }] }, or_keys: body.key };
      apply({ kind: 'rule.ordered', subject: 'several', version: 2, body: several });
      await sut.lift(admin, 'several', {});
      await sut.lift(admin, id, {});
      const [[revoke, lifted], [plainRevoke, plainLift]] = [commands[1]!.records, commands[2]!.records] as [
        readonly { body: unknown }[],
        readonly { body: unknown }[],
      ];
      expect(revoke!.body).toMatchObject({ selector: alice, or: several.or });
      expect(lifted!.body).toMatchObject({
        rule: 'several',
        several: { shape: body.shape, key: body.key, or_keys: body.key },
      });
      expect([plainRevoke!.body, plainLift!.body]).toEqual([
        expect.not.objectContaining({ or: expect.anything() }),
        expect.not.objectContaining({ several: expect.anything() }),
      ]);
      expect(Object.keys(plainRevoke!.body as object)).not.toContain('or');
    });

    it('once: the same lift again is the first one, another one is refused', async () => {
      const id = await order();
      const first = await sut.lift(admin, id, {});
      answer = { replayed: true, firstSeq: (state.head - 1n) as Seq };
      expect(await sut.lift(admin, id, {})).toMatchObject({ revoke: first.revoke, replayed: true });
      answer = { replayed: true, firstSeq: state.head };
      expect(await sut.lift(admin, id, { resume: true })).not.toHaveProperty('revoke');
      answer = { same: false };
      expect(await codeOf(sut.lift(admin, id, {}))).toBe('already-lifted');
    });

    it.each<[string, object]>([
      ['a revoke', { effect: 'revoke' }],
      ['a block that has ended', { until: NOW_S + 1 }],
    ])('not where it is %s', async (_, over) => {
      const id = await order(over);
      nowS += 1;
      expect(await codeOf(sut.lift(admin, id, {}))).toBe('not-liftable');
      expect(commands).toHaveLength(1);
    });

    it('not by another than its author, within a bound', async () => {
      const id = await order();
      expect([await codeOf(sut.lift(team, id, {})), await codeOf(sut.lift(team, 'nobody', {}))]).toEqual([
        'forbidden',
        'not-found',
      ]);
      expect(commands).toHaveLength(1);
      const own = await order({}, team);
      expect(await codeOf(sut.lift(team, own, {}))).toBe('done');
    });
  });

  describe('is shown', () => {
    const idsOf = (page: { readonly revocations: readonly { readonly id: string }[] }): string[] =>
      page.revocations.map(({ id }) => id);

    it('to those who may read it, in force once all have confirmed it', async () => {
      const [seen, unseen] = [await order(), await order({ selector: foreign })];
      confirmedUpTo = 2n as Seq;
      expect(await sut.read(team, seen)).toMatchObject({ id: seen, seq: '2', state: 'live', in_force: true });
      expect(await sut.read(admin, unseen)).toMatchObject({ id: unseen, seq: '3', in_force: false });
      expect([await codeOf(sut.read(team, unseen)), await codeOf(sut.read(admin, 'nobody'))]).toEqual([
        'not-found',
        'not-found',
      ]);
    });

    it('newest first, by pages of which all but the last name the next', async () => {
      const ids: string[] = [];
      for (let nth = 0; nth < 5; nth++) ids.unshift(await order());
      const first = await sut.list(admin, { limit: '2' });
      const second = await sut.list(admin, { limit: '2', cursor: first.next! });
      const third = await sut.list(admin, { limit: '2', cursor: second.next! });
      expect([first, second, third].map(idsOf)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
      expect(third).not.toHaveProperty('next');
      expect(await sut.list(admin, { limit: '5' })).not.toHaveProperty('next');
    });

    it('50 a page', async () => {
      for (let nth = 0; nth < 51; nth++) await order();
      expect((await sut.list(admin, {})).revocations).toHaveLength(50);
    });

    it('to a bounded caller as far as it may read, from a thousand rules a page', async () => {
      const own = await order({}, team);
      const template = stored()[0]!.body;
      for (let nth = 0; nth < 999; nth++)
        apply({
          kind: 'rule.ordered',
          subject: `f-${nth}`,
          body: { ...template, id: `f-${nth}`, selector: foreign, author: { caller: 'admin' } } satisfies RuleRecord,
        });
      const all = await sut.list(team, {});
      expect(idsOf(all)).toEqual([own]);
      // A full page may have more behind it.
      expect(idsOf(await sut.list(team, { cursor: all.next! }))).toEqual([]);
      apply({
        kind: 'rule.ordered',
        subject: 'one more',
        body: { ...template, id: 'one more', selector: foreign, author: { caller: 'admin' } },
      });
      const short = await sut.list(team, {});
      expect(idsOf(short)).toEqual([]);
      const rest = await sut.list(team, { cursor: short.next! });
      expect(idsOf(rest)).toEqual([own]);
      expect(rest).not.toHaveProperty('next');
    });

    it('to a bounded caller by pages, too', async () => {
      const own: string[] = [];
      for (let nth = 0; nth < 3; nth++) {
        own.unshift(await order({}, team));
        await order({ selector: foreign });
      }
      const first = await sut.list(team, { limit: '2' });
      const second = await sut.list(team, { limit: '2', cursor: first.next! });
      expect([...idsOf(first), ...idsOf(second)]).toEqual(own);
      expect(second).not.toHaveProperty('next');
    });
  });
});
