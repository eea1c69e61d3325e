import { describe, expect, it } from '@jest/globals';
import type { Caller, ControlFollower, ControlRecord, RuleRecord, Seq } from '../../control/index.js';
import type { RuleReader, UnknownToken } from './rule-reader.pg.js';
import { createUnknownTokens } from './unknown-tokens.js';

const NOW_S = 1_790_000_000;
const [MAX_STANDING_A_TENANT, MAX_UNKNOWN_TOKENS] = [500_000, 10_000];
const bots: Caller = { id: 'bots', tenant: 't', roles: {}, secrets: [], disabled: false };
const ref = (name: string | number) => ({ sha256: `digest-${name}` });

function given(earlier: readonly UnknownToken[] = []) {
  let apply: (records: readonly ControlRecord[]) => void = () => {};
  let reads = 0;
  let readFails = false;
  let nowMs = NOW_S * 1000;
  let standing = 0;
  const state = { tenant: () => ({ rules: { size: standing } }) };
  const follower = {
    state,
    onApplied: (listener: typeof apply) => void (apply = listener),
  } as unknown as ControlFollower;
  const rules = {
    unknownTokens: async () => {
      reads++;
      if (readFails) throw new Error('the database is away');
      return earlier;
    },
  } as unknown as RuleReader;
  const sut = createUnknownTokens({ follower, rules, now: () => nowMs });
  const order = (name: string | number, until = NOW_S + 100, caller = 'bots', or?: object) => {
    const body = {
      or,
      author: { caller },
      selector: { token: ref(name), client: { iss: 'i', client_id: 'c' } },
      until,
    } as unknown as RuleRecord;
    apply([{ kind: 'rule.ordered', tenant: 't', subject: 'r', body, seq: 1n as Seq, version: 1, at: 0 }]);
  };
  return {
    sut,
    order,
    hold: (selectors: number) => (standing = selectors),
    reads: () => reads,
    failReads: (now: boolean) => (readFails = now),
    passS: (s: number) => (nowMs += s * 1000),
  };
}

describe('tokens that nobody has seen', () => {
  it('are as many as a caller may revoke, those under way among them', async () => {
    const { sut, order } = given();
    for (let at = 0; at < MAX_UNKNOWN_TOKENS - 1; at++) order(at);
    const release = await sut.take(bots, ref('last'), 1);
    expect(release).toBeDefined();
    expect(await sut.take(bots, ref('beyond'), 1)).toBeUndefined();
    release!();
    expect(await sut.take(bots, ref('beyond'), 1)).toBeDefined();
  });

  it('count once, for their caller, until their rules end', async () => {
    const { sut, order, passS } = given();
    for (let at = 0; at < MAX_UNKNOWN_TOKENS; at++) order(at);
    expect(await sut.take(bots, ref('new'), 1)).toBeUndefined();
    expect(await sut.take(bots, ref(7), 1)).toBeDefined();
    expect(await sut.take({ ...bots, id: 'other' }, ref('new'), 1)).toBeDefined();
    passS(100);
    expect(await sut.take(bots, ref('new'), 1)).toBeDefined();
  });

  it('that were ordered again, here or in an earlier run, count as they do now', async () => {
    const { sut, order } = given([{ token: ref(0), until: NOW_S + 50, selectors: 3_000 }]);
    (await sut.take(bots, ref('first'), 1))!();
    for (let at = 0; at < 5_000; at++) order(at);
    for (let at = 0; at < 5_000; at++) order(at);
    expect(await sut.take(bots, ref('new'), 5_001)).toBeUndefined();
    expect(await sut.take(bots, ref('new'), 5_000)).toBeDefined();
  });

  it('of earlier runs are read once', async () => {
    const { sut, reads } = given(
      Array.from({ length: MAX_UNKNOWN_TOKENS }, (_, at) => ({ token: ref(at), until: NOW_S + 100, selectors: 1 })),
    );
    expect(await sut.take(bots, ref('new'), 1)).toBeUndefined();
    expect(await sut.take(bots, ref('new'), 1)).toBeUndefined();
    expect(reads()).toBe(1);
  });

  it('whose earlier runs could not be read are asked for again', async () => {
    const { sut, reads, failReads } = given();
    failReads(true);
    await expect(sut.take(bots, ref('one'), 1)).rejects.toThrow('away');
    failReads(false);
    expect([(await sut.take(bots, ref('one'), 1)) === undefined, reads()]).toEqual([false, 2]);
  });

  it('that are ordered for several clients count once for each', async () => {
    const { sut, order } = given();
    const others = Array.from({ length: 99 }, (_, at) => ({ iss: 'i', client_id: String(at) }));
    for (let at = 0; at < MAX_UNKNOWN_TOKENS / 100; at++) order(at, undefined, undefined, { client: others });
    expect(await sut.take(bots, ref('new'), 1)).toBeUndefined();
  });

  it('count as often as the caller has clients, and not at all where the tenant holds as many rules as it may', async () => {
    const { sut, hold } = given();
    const release = await sut.take(bots, ref('one'), 9_901);
    expect(await sut.take(bots, ref('two'), 100)).toBeUndefined();
    expect(await sut.take(bots, ref('three'), 99)).toBeDefined();
    release!();
    expect(await sut.take(bots, ref('two'), 100)).toBeDefined();
    hold(MAX_STANDING_A_TENANT);
    expect(await sut.take(bots, ref('four'), 1)).toBeUndefined();
  });
});
