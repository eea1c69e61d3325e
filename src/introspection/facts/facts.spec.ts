import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoryWorld, NOW } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf } from '../../../test/conformance/signing.js';
import type { LineageReader, StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';
import { createFacts, type Facts } from './facts.js';

it('facts with complete lineage are taken from memory for 10 min, then read anew', async () => {
  let clockMs = 0;
  const world = createMemoryWorld({ monotonic: () => clockMs });
  world.recordIdJag(parties.idJagFacts(NOW));
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('opaque') }));
  const isRead = async (): Promise<boolean> => {
    const before = world.statements;
    expect((await world.ask('opaque')).body).toContain('"active":true');
    return world.statements > before;
  };
  const reads: boolean[] = [await isRead(), await isRead()];
  clockMs = 599_000;
  reads.push(await isRead());
  clockMs = 600_000;
  reads.push(await isRead(), await isRead());
  expect(reads).toEqual([true, false, false, true, false]);
});

describe('reads of facts', () => {
  interface Statement {
    readonly tenant: string;
    readonly keys: readonly RuleKey[];
    answer(found?: readonly (StoredLineage | undefined)[]): void;
    fail(error: Error): void;
  }
  let statements: Statement[];
  let sut: Facts;
  beforeEach(() => {
    statements = [];
    const idJags: LineageReader['idJags'] = (tenant, keys) =>
      new Promise(
        (resolve, reject) =>
          void statements.push({
            tenant,
            keys,
            answer: (found = keys.map(() => undefined)) => resolve(found),
            fail: reject,
          }),
      );
    sut = createFacts({ lineage: { idJags, tokens: async () => [] } });
  });

  const tenant = (id = 'acme') => ({ id }) as Parameters<Facts['idJag']>[0];
  const read = (nth: number | string, of = tenant()): Promise<StoredLineage | undefined> =>
    sut.idJag(of, `key-${nth}` as RuleKey);
  const turn = (): Promise<void> => new Promise(setImmediate);
  const lineage = (name: string): StoredLineage =>
    ({ name, tokens: [], idJags: [], complete: true, broken: false }) as unknown as StoredLineage;

  it('of one tick share a statement, and those of one key a place in it', async () => {
    const reads = [read('a'), read('b'), read('a')];
    await turn();
    expect(statements.map(({ keys }) => keys)).toEqual([['key-a', 'key-b']]);
    const [a, b] = [lineage('a'), lineage('b')];
    statements[0]!.answer([a, b]);
    expect(await Promise.all(reads)).toEqual([a, b, a]);
  });

  it('of two tenants never share a statement', async () => {
    const reads = [read('a'), read('a', tenant('other'))];
    await turn();
    expect(statements.map((one) => one.tenant)).toEqual(['acme', 'other']);
    for (const one of statements) one.answer();
    await Promise.all(reads);
  });

  it('take 1,000 keys a statement', async () => {
    const reads = Array.from({ length: 1_001 }, (_, nth) => read(nth));
    await turn();
    expect(statements.map(({ keys }) => keys.length)).toEqual([1_000, 1]);
    expect(statements[1]!.keys).toEqual(['key-1000']);
    for (const one of statements) one.answer();
    await Promise.all(reads);
  });

  it('do not join a statement that is under way', async () => {
    const first = read('a');
    await turn();
    const second = read('a');
    await turn();
    expect(statements).toHaveLength(2);
    const [before, after] = [lineage('before'), lineage('after')];
    statements[0]!.answer([before]);
    statements[1]!.answer([after]);
    expect([await first, await second]).toEqual([before, after]);
  });

  it('gather while two statements are under way, and go when one has ended, also in failure', async () => {
    const reads = [read('a')];
    await turn();
    reads.push(read('b'));
    await turn();
    reads.push(read('c'));
    await turn();
    reads.push(read('d'));
    await turn();
    expect(statements.map(({ keys }) => keys)).toEqual([['key-a'], ['key-b']]);
    statements[1]!.fail(new Error('gone'));
    await expect(reads[1]).rejects.toThrow('gone');
    await turn();
    expect(statements.map(({ keys }) => keys)).toEqual([['key-a'], ['key-b'], ['key-c', 'key-d']]);
    statements[0]!.answer();
    statements[2]!.answer();
    expect(await Promise.all([reads[0], reads[2], reads[3]])).toEqual([undefined, undefined, undefined]);
    const later = read('e');
    await turn();
    expect(statements).toHaveLength(4);
    statements[3]!.answer();
    expect(await later).toBeUndefined();
  });

  it('are given up after two seconds', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const outcome: string[] = [];
      void read('a').catch((error: Error) => outcome.push(error.message));
      await jest.advanceTimersByTimeAsync(1_999);
      expect(outcome).toEqual([]);
      await jest.advanceTimersByTimeAsync(2);
      expect(outcome).toEqual(['facts were not read within 2000 ms']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leave no timer behind', async () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const one = read('a');
      await jest.advanceTimersByTimeAsync(1);
      statements[0]!.answer();
      expect(await one).toBeUndefined();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});
