import { describe, expect, it } from '@jest/globals';
import type { StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';
import { createFindRecorded } from './recorded-tokens.js';

const lineageOf = (tenant: string, key: RuleKey): StoredLineage | undefined =>
  key.startsWith('unknown')
    ? undefined
    : ({
        tokens: [{ key: `${tenant} ${key}` }],
        idJags: [],
        complete: true,
        broken: false,
      } as unknown as StoredLineage);

/** Makes a reader whose statements end on command. */
function given() {
  const statements: { tenant: string; keys: readonly RuleKey[]; end(): void; fail(error: Error): void }[] = [];
  const find = createFindRecorded({
    tokens: (tenant, keys) =>
      new Promise((resolve, reject) => {
        statements.push({ tenant, keys, end: () => resolve(keys.map((key) => lineageOf(tenant, key))), fail: reject });
      }),
  });
  const keys = (from: number, count: number): RuleKey[] =>
    Array.from({ length: count }, (_, nth) => `k-${from + nth}` as RuleKey);
  return { statements, find, keys };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('looking up what is recorded', () => {
  it('shares one statement among those that came while another was under way, and none with one that had begun', async () => {
    const { statements, find, keys } = given();
    const first = find('t', keys(0, 1)[0]!);
    const others = keys(1, 10).map((key) => find('t', key));
    expect(statements.map((one) => one.keys.length)).toEqual([1]);
    statements[0]!.end();
    await first;
    await settle();
    expect(statements.map((one) => one.keys.length)).toEqual([1, 10]);
    statements[1]!.end();
    expect((await Promise.all(others)).map((found) => found!.tokens[0]!.key)).toEqual(
      keys(1, 10).map((key) => `t ${key}`),
    );
  });

  it('asks each tenant’s keys in that tenant, and says of each whether it is recorded', async () => {
    const { statements, find, keys } = given();
    void find('t', keys(0, 1)[0]!);
    const asked = [find('one', 'a' as RuleKey), find('other', 'a' as RuleKey), find('one', 'unknown' as RuleKey)];
    for (let nth = 0; nth < 3; nth++) {
      statements[nth]!.end();
      await settle();
    }
    expect(statements.slice(1).map(({ tenant, keys: held }) => [tenant, held])).toEqual([
      ['one', ['a', 'unknown']],
      ['other', ['a']],
    ]);
    expect((await Promise.all(asked)).map((found) => found?.tokens[0]!.key)).toEqual(['one a', 'other a', undefined]);
  });

  it('takes at most 500 keys at once', async () => {
    const { statements, find, keys } = given();
    const asked = keys(0, 1_101).map((key) => find('t', key));
    for (let nth = 0; nth < 4; nth++) {
      statements[nth]!.end();
      await settle();
    }
    expect(statements.map((one) => one.keys.length)).toEqual([1, 500, 500, 100]);
    expect(await Promise.all(asked)).toHaveLength(1_101);
  });

  it('fails those of a statement that failed, and no others', async () => {
    const { statements, find, keys } = given();
    const first = find('t', keys(0, 1)[0]!);
    const second = find('t', keys(1, 1)[0]!);
    statements[0]!.fail(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    await settle();
    statements[1]!.end();
    expect(await second).toBeDefined();
  });
});
