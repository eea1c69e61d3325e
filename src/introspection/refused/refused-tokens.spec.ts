import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../platform/log/index.js';
import type { RuleKey } from '../../rules/index.js';
import { createRefusedTokens, type CountedRefusal, type RefusedToken } from './refused-tokens.js';

const refused = (token: string, over: Partial<RefusedToken> = {}): RefusedToken => ({
  tenant: 't',
  source: 's',
  reason: 'mismatch',
  member: 'scope',
  token: token as RuleKey,
  ...over,
});

function given(maxCounted?: number) {
  const handed: CountedRefusal[] = [];
  const lines: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  let fails = false;
  const onRefused = async (refusals: readonly CountedRefusal[]): Promise<void> => {
    if (fails) throw new Error('away');
    handed.push(...refusals);
  };
  const sut = createRefusedTokens({
    onRefused,
    log,
    windowMs: 3_600_000,
    ...(maxCounted === undefined ? {} : { maxCounted }),
  });
  return { sut, handed, lines, fail: () => (fails = true) };
}

describe('refused tokens', () => {
  it('are counted by source, reason, member and token', async () => {
    const { sut, handed } = given();
    sut.record(refused('a'), 1_000);
    sut.record(refused('a'), 3_000);
    sut.record(refused('b'), 2_000);
    sut.record(refused('a', { member: 'aud' }), 2_000);
    sut.record(refused('a', { reason: 'lifetime-too-long', member: '' }), 2_000);
    await sut.stop();
    expect(handed).toHaveLength(4);
    expect(handed[0]).toEqual({ ...refused('a'), count: 2, firstMs: 1_000, lastMs: 3_000 });
  });

  it('are logged once a source and reason, with the member that differs, unless each text is logged as a finding', async () => {
    const { sut, lines } = given();
    for (const token of ['a', 'b', 'c']) sut.record(refused(token, { reason: 'unverified', member: 'typ' }), 1_000);
    sut.record(refused('a'), 1_000);
    sut.record(refused('a', { source: 'other', reason: 'lineage-missing', member: '' }), 1_000);
    await sut.stop();
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ source: 's', reason: 'unverified', member: 'typ' }),
      expect.objectContaining({ source: 'other', reason: 'lineage-missing' }),
    ]);
  });

  it('beyond the bound of a window are not counted; those that are count on', async () => {
    const { sut, handed } = given(2);
    for (const token of ['a', 'b', 'c', 'a']) sut.record(refused(token), 1_000);
    await sut.stop();
    expect(handed.map(({ token, count }) => [token, count])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('are lost and logged when nobody takes them', async () => {
    const { sut, lines, fail } = given();
    fail();
    sut.record(refused('a'), 1_000);
    await sut.stop();
    expect(lines.at(-1)).toContain('counts of refused tokens were lost');
  });
});
