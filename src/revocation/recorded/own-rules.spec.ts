import { beforeEach, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import {
  createControlState,
  type Appended,
  type Caller,
  type Command,
  type ControlFollower,
  type ControlLog,
  type ControlRecord,
  type RuleRecord,
  type Seq,
  type Tenant,
} from '../../control/index.js';
import { createOrderOwn, type OrderOwn } from './own-rules.js';
import type { RuleReader } from './rule-reader.pg.js';

const NOW_S = 1_790_000_000;
const [MAX_LINEAGE_AGE_S, MAX_SELECTORS_A_RULE, MAX_UNKNOWN_TOKENS] = [30 * 86_400, 128, 10_000];
const wiki = { iss: 'https://ras.example', client_id: 'wiki' };
const chat = { iss: 'https://ras.example', client_id: 'chat' };
const callerOf = (clients: readonly { iss: string; client_id: string }[]): Caller => ({
  id: 'c',
  tenant: 't',
  roles: { 'revoke-own': { clients } },
  secrets: [],
  disabled: false,
});
const ref = { iss: 'https://ras.example', jti: 'j' };

describe("revoking one's own token", () => {
  const state = createControlState();
  state.apply({
    seq: 1n as Seq,
    version: 1,
    at: NOW_S * 1000,
    kind: 'tenant.changed',
    tenant: 't',
    subject: 't',
    body: { id: 't', name: 'default', key: Buffer.alloc(32, 1).toString('base64url') },
  } as ControlRecord);
  const tenant: Tenant = state.tenant('t')!;

  let commands: Command[];
  let waited: unknown[];
  /** Answers of the log to the next commands. The last answer repeats. */
  let appends: Appended[];
  let earlier: ControlRecord[];
  let failure: Error | undefined;
  let sut: OrderOwn;

  const appended = (seq: number, over: Partial<Appended> = {}): Appended => ({
    firstSeq: BigInt(seq) as Seq,
    lastSeq: BigInt(seq) as Seq,
    replayed: false,
    same: true,
    ...over,
  });

  beforeEach(() => {
    [commands, waited, earlier, appends, failure] = [[], [], [], [appended(7)], undefined];
    const follower = {
      state,
      onApplied: () => undefined,
      async whenInForce(seq: Seq, name?: string) {
        waited.push([seq, name]);
        if (failure) throw failure;
      },
    } as unknown as ControlFollower;
    const controlLog = {
      append: async (command: Command) => (commands.push(command), appends.length > 1 ? appends.shift()! : appends[0]!),
      readRange: async () => earlier,
    } as unknown as ControlLog;
    const rules = { unknownTokens: async () => [] } as unknown as RuleReader;
    sut = createOrderOwn({ controlLog, follower, rules, now: () => NOW_S * 1000 + 900 });
  });

  const bodies = (): RuleRecord[] =>
    commands.flatMap(({ records }) => records.map((record) => record.body as RuleRecord));

  it.each<[string, Caller]>([
    ['no clients of its own', callerOf([])],
    ['no such role', { ...callerOf([]), roles: {} }],
    ['a tenant that is gone', { ...callerOf([wiki]), tenant: 'gone' }],
  ])('is forbidden to a caller with %s', async (_, caller) => {
    await expect(sut(caller, { ref, recorded: true, issuedTo: wiki })).rejects.toMatchObject({ code: 'forbidden' });
    expect(commands).toEqual([]);
  });

  it.each([
    ['client', { ...wiki, client_id: 'crm' }],
    ['issuer', { ...wiki, iss: 'https://other.example' }],
  ])('is refused for a token of another %s', async (_, issuedTo) => {
    expect(await sut(callerOf([wiki, chat]), { ref, recorded: true, issuedTo })).toBe('not-own');
    expect(commands).toEqual([]);
  });

  it('of which something is recorded, revokes it as of the order, once, and waits until that is in force', async () => {
    expect(await sut(callerOf([chat, wiki]), { ref, recorded: true, issuedTo: wiki })).toBe('revoked');
    expect(bodies()).toMatchObject([
      { effect: 'revoke', selector: { token: ref }, reauthenticate: false, author: { caller: 'c' } },
    ]);
    expect(bodies()[0]!.before).toBeUndefined();
    expect(commands[0]!.once).toEqual({ key: ['revoke-own', 't', ref.iss, ref.jti], content: '' });
    expect(waited).toEqual([[7n, 't']]);
  });

  it('of which nothing is recorded, blocks it for the age of the oldest lineage', async () => {
    expect(await sut(callerOf([wiki]), { ref, recorded: false, issuedTo: wiki })).toBe('revoked');
    expect(bodies()).toMatchObject([
      { effect: 'block', until: NOW_S + MAX_LINEAGE_AGE_S, reauthenticate: false, selector: { token: ref } },
    ]);
    expect(bodies()[0]!.selector).toEqual({ token: ref });
    expect(commands[0]!.once!.key.slice(0, 3)).toEqual(['revoke-own-unrecorded', 't', 'c']);
  });

  it('of which nobody knows whose it is, blocks it for each of the clients of the caller', async () => {
    expect(await sut(callerOf([wiki, chat]), { ref, recorded: false, issuedTo: undefined })).toBe('revoked');
    expect(bodies()).toMatchObject([
      { effect: 'block', selector: { token: ref, client: wiki }, or: { client: [chat] } },
    ]);
    await sut(callerOf([wiki]), { ref, recorded: false, issuedTo: undefined });
    expect(bodies()[1]!.or).toBeUndefined();
    expect(commands[0]!.once!.key).not.toEqual(commands[1]!.once!.key);
  });

  it('has no place for one more token of a caller that has too many unknown ones', async () => {
    const many = callerOf(
      Array.from({ length: MAX_UNKNOWN_TOKENS + 1 }, (_, at) => ({ ...wiki, client_id: `c${at}` })),
    );
    expect(await sut(many, { ref, recorded: false, issuedTo: undefined })).toBe('full');
    expect(commands).toEqual([]);
  });

  it('gives the places of an unknown token back when its order has failed', async () => {
    const wide = callerOf(Array.from({ length: MAX_SELECTORS_A_RULE }, (_, at) => ({ ...wiki, client_id: `c${at}` })));
    failure = new RescindError('not-confirmed');
    for (let taken = 0; taken <= MAX_UNKNOWN_TOKENS; taken += MAX_SELECTORS_A_RULE) {
      await expect(
        sut(wide, { ref: { sha256: `digest ${taken}` }, recorded: false, issuedTo: undefined }),
      ).rejects.toBe(failure);
    }
  });

  describe('again', () => {
    const ordered = (id: string, effect: RuleRecord['effect']): ControlRecord =>
      ({
        seq: 7n,
        version: 1,
        at: 0,
        kind: 'rule.ordered',
        tenant: 't',
        subject: id,
        body: { id, effect },
      }) as unknown as ControlRecord;
    const hold = (id: string, until: number | undefined): void =>
      tenant.rules.add({
        id,
        seq: 7n,
        selector: { shape: 1, key: id.padEnd(16) as never },
        effect: 'block',
        before: 0,
        asOfOrder: true,
        reauthenticate: false,
        until,
      });
    const again = (): Promise<unknown> => sut(callerOf([wiki]), { ref, recorded: false, issuedTo: wiki });
    beforeEach(() => {
      appends = [appended(7, { replayed: true }), appended(9)];
    });

    it('waits for a revoke that was ordered before, whether it is still held or not', async () => {
      earlier = [ordered('gone', 'revoke')];
      expect(await again()).toBe('revoked');
      expect(waited).toEqual([[7n, 't']]);
    });

    it.each([
      ['has no end', undefined],
      ['has not ended', NOW_S + 1],
    ])('waits for a block that %s', async (name, until) => {
      hold(name, until);
      earlier = [ordered(name, 'block')];
      expect(await again()).toBe('revoked');
      expect(waited).toEqual([[7n, 't']]);
    });

    it.each<[string, number | false]>([
      ['was lifted', false],
      ['has ended', NOW_S],
    ])('orders anew where the block %s, without the key, and waits for that', async (name, until) => {
      if (until !== false) hold(name, until);
      earlier = [ordered('gone', 'revoke'), ordered(name, 'block')];
      expect(await again()).toBe('revoked');
      expect(waited).toEqual([
        [7n, 't'],
        [9n, 't'],
      ]);
      expect(commands.map(({ once }) => once !== undefined)).toEqual([true, false]);
    });
  });
});
