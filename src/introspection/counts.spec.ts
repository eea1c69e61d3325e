import { describe, expect, it, jest } from '@jest/globals';
import { createMemoryWorld, NOW } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import { digestOf, signJwt } from '../../test/conformance/signing.js';
import { validateEventData } from '../contracts/index.js';
import { createLog } from '../platform/log/index.js';
import { createMetrics } from '../platform/observe/index.js';
import { createCounts, type TenantCount } from './counts.js';
import type { KnownToken } from './facts/known-token.js';

const TENANT = parties.TENANT.id;

const knownToken = (id: string): KnownToken =>
  ({ common: { identity: 'sha256', iss: parties.RAS, tenant: TENANT }, id: digestOf(id), usage: -1 }) as KnownToken;

function given({ maxCounted = 100, fails = false } = {}) {
  const handed: TenantCount[][] = [];
  const metrics = createMetrics();
  const onCounts = async (counts: readonly TenantCount[]): Promise<void> => {
    if (fails) throw new Error('the appender is gone');
    handed.push([...counts]);
  };
  const counts = createCounts({ onCounts, metrics, log: createLog({ level: 'silent' }), maxCounted });
  const dropped = async (reason: string): Promise<number> =>
    Number(new RegExp(`counts_dropped_total\\{reason="${reason}"\\} (\\d+)`).exec(await metrics.text())?.[1] ?? 0);
  return { counts, handed, dropped };
}

describe('introspections', () => {
  it('are counted by recorded token and caller, with the first and the last time', async () => {
    const world = createMemoryWorld({ countIntrospections: true });
    const facts = parties.tokenFacts(NOW, { jti: 'at-1' });
    world.recordToken(facts);
    world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('at_1') }));
    const jwt = signJwt(parties.rasKey, parties.claimsOf(facts));
    await world.ask(jwt);
    world.now = NOW + 2;
    await world.ask(jwt);
    await world.ask('at_1');
    await world.ask('at_1', parties.basic('crm-api'));
    world.order({ token: { iss: parties.RAS, jti: 'at-1' } });
    await world.ask(jwt);
    await world.stop();
    expect(world.counts).toEqual([
      {
        tenant: TENANT,
        data: {
          caller: 'chat-api',
          token: { iss: parties.RAS, jti: 'at-1' },
          count: 3,
          active: 2,
          from: NOW,
          to: NOW + 2,
        },
      },
      {
        tenant: TENANT,
        data: {
          caller: 'chat-api',
          token: { sha256: digestOf('at_1') },
          count: 1,
          active: 1,
          from: NOW + 2,
          to: NOW + 2,
        },
      },
      {
        tenant: TENANT,
        data: {
          caller: 'crm-api',
          token: { sha256: digestOf('at_1') },
          count: 1,
          active: 0,
          from: NOW + 2,
          to: NOW + 2,
        },
      },
    ]);
    for (const { data } of world.counts) expect(validateEventData('introspection.counted', data)).toBeUndefined();
  });

  it('are not counted of what is not recorded, of a JWT that does not verify, or of who may not ask', async () => {
    const world = createMemoryWorld({ countIntrospections: true });
    const facts = parties.tokenFacts(NOW, { jti: 'at-1' });
    world.recordToken(facts);
    await world.ask('at_unknown');
    await world.ask(signJwt(parties.strangerKey, parties.claimsOf(facts)));
    await world.ask(signJwt(parties.rasKey, parties.claimsOf(facts)), 'Bearer rsk_wrong');
    await world.stop();
    expect(world.counts).toEqual([]);
  });
});

describe('counts', () => {
  it('begin anew with each window', async () => {
    const { counts, handed } = given();
    const token = knownToken('a');
    counts.count(token, 'one', true, 10.9);
    await counts.stop();
    counts.count(token, 'one', false, 80.2);
    await counts.stop();
    expect(handed.flat().map(({ data }) => [data.count, data.active, data.from, data.to])).toEqual([
      [1, 1, 10, 10],
      [1, 0, 80, 80],
    ]);
  });

  it('are handed on each window until they are stopped', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const { counts, handed } = given();
      counts.count(knownToken('a'), 'one', true, 10);
      await jest.advanceTimersByTimeAsync(59_999);
      expect(handed).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(handed).toHaveLength(1);
      await counts.stop();
      counts.count(knownToken('b'), 'one', true, 80);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(handed).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('tell callers apart that take turns', async () => {
    const { counts, handed } = given();
    const token = knownToken('a');
    for (const caller of ['one', 'other', 'one', 'other', 'one']) counts.count(token, caller, true, 10);
    await counts.stop();
    expect(handed.flat().map(({ data }) => [data.caller, data.count])).toEqual([
      ['one', 3],
      ['other', 2],
    ]);
  });

  it('join what was read twice of one token', async () => {
    const { counts, handed } = given();
    counts.count(knownToken('a'), 'one', true, 10);
    counts.count(knownToken('a'), 'one', true, 11);
    await counts.stop();
    expect(handed.flat().map(({ data }) => data.count)).toEqual([2]);
  });

  it('are handed on a thousand at a time', async () => {
    const { counts, handed } = given({ maxCounted: 5_000 });
    for (let at = 0; at < 2_500; at++) counts.count(knownToken(String(at)), 'one', true, 10);
    await counts.stop();
    expect(handed.map((batch) => batch.length)).toEqual([1_000, 1_000, 500]);
  });

  it('drop and count what is beyond their bound', async () => {
    const { counts, handed, dropped } = given({ maxCounted: 2 });
    const [a, b, c] = [knownToken('a'), knownToken('b'), knownToken('c')];
    for (const token of [a, b, c, a, c]) counts.count(token, 'one', true, 10);
    await counts.stop();
    expect(handed.flat().map(({ data }) => data.count)).toEqual([2, 1]);
    expect(await dropped('too-many')).toBe(2);
  });

  it('are lost, and counted as lost, when nobody takes them', async () => {
    const { counts, dropped } = given({ fails: true });
    for (const id of ['a', 'a', 'b']) counts.count(knownToken(id), 'one', true, 10);
    await counts.stop();
    expect(await dropped('not-written')).toBe(3);
  });
});
