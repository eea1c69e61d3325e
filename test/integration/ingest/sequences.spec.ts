import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_SEQUENCE_GAPS } from '../../../src/projections/index.js';
import { createQuestions } from '../../../src/query/index.js';
import { access, createStage, fromChat, fromIdp, idJag, type Stage } from '../../support/stage.js';
import { SEED } from './fuzz-pieces.js';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.stop());

const used = (sequence: number, id?: string) => fromChat('access.allowed', access({ sequence }), id);
const ask = async () => {
  const { items } = await createQuestions({ pool: stage.database.pool, control: () => stage.follower.state }).sequences(
    stage.tenant,
    {},
  );
  return items.map(({ source, ...item }) => ({ source: source.name, ...item }));
};
const metric = async (finding: string): Promise<number> => {
  const line = (await stage.metrics.text())
    .split('\n')
    .find((one) => one.startsWith(`rescind_sequence_findings{source="chat",finding="${finding}"}`));
  return Number(line!.split(' ').at(-1));
};

describe("a source's sequence", () => {
  it('has a gap for each missing event until it comes, in any order', async () => {
    await stage.emit(used(7), used(5));
    await stage.emit(used(12));
    expect(await ask()).toEqual([
      {
        source: 'chat',
        first: 5,
        last: 12,
        missing: 5,
        repeated: 0,
        given_up: 0,
        gaps: [
          { from: 6, to: 6 },
          { from: 8, to: 11 },
        ],
      },
    ]);
    expect(await metric('missing')).toBe(5);
    await stage.emit(used(10), used(6), used(9));
    await stage.emit(used(8), used(11));
    expect(await ask()).toEqual([
      { source: 'chat', first: 5, last: 12, missing: 0, repeated: 0, given_up: 0, gaps: [] },
    ]);
    expect(await metric('missing')).toBe(0);
  });

  it('is not affected by another source, nor by events without a number', async () => {
    await stage.emit(used(0), fromIdp('id-jag.issued', idJag({ sequence: 9 })), fromChat('access.allowed', access()));
    await stage.emit(used(1), fromIdp('id-jag.issued', idJag({ jti: 'gr-2', sequence: 10 })));
    expect((await ask()).map(({ source, first, last, missing }) => [source, first, last, missing]).toSorted()).toEqual([
      ['chat', 0, 1, 0],
      ['idp', 9, 10, 0],
    ]);
  });

  it('reports a number that two events have, but no repeated event and no refused one', async () => {
    await stage.emit(used(1, 'a'), used(2, 'b'));
    await stage.emit(used(1, 'a'), used(1, 'c'), used(3, 'd'), used(3, 'e'), used(2, 'a'));
    expect(await ask()).toMatchObject([{ first: 1, last: 3, missing: 0, repeated: 2 }]);
    expect(await metric('repeated')).toBe(2);
  });

  it('keeps a bounded number of gaps: the lowest are given up and counted', async () => {
    const odd = Array.from({ length: MAX_SEQUENCE_GAPS + 6 }, (_, n) => used(2 * n + 1));
    await stage.emit(...odd.slice(0, 700));
    await stage.emit(...odd.slice(700));
    expect(await ask()).toMatchObject([
      { first: 1, last: 2 * MAX_SEQUENCE_GAPS + 11, missing: MAX_SEQUENCE_GAPS, given_up: 5 },
    ]);
    const [item] = await ask();
    expect([item!.gaps.length, item!.gaps[0]]).toEqual([100, { from: 12, to: 12 }]);
    expect([await metric('missing'), await metric('given-up')]).toEqual([MAX_SEQUENCE_GAPS, 5]);
    // One of those that were given up, late.
    await stage.emit(used(4));
    expect(await ask()).toMatchObject([{ repeated: 1, given_up: 5 }]);
  });

  it('reaches as far as JSON counts exactly', async () => {
    await stage.emit(used(0), used(Number.MAX_SAFE_INTEGER));
    expect(await ask()).toMatchObject([
      {
        last: Number.MAX_SAFE_INTEGER,
        missing: Number.MAX_SAFE_INTEGER - 1,
        gaps: [{ from: 1, to: Number.MAX_SAFE_INTEGER - 1 }],
      },
    ]);
  });

  it(`equals a list of the numbers, however they were batched (seed ${SEED})`, async () => {
    const batches = fc.sample(fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }), { seed: SEED, numRuns: 15 });
    for (const batch of batches) await stage.emit(...batch.map((number) => used(number)));
    const numbers = batches.flat();
    const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
    const missing = Array.from({ length: last - first + 1 }, (_, n) => first + n).filter(
      (number) => !numbers.includes(number),
    );
    const [item] = await ask();
    expect(item).toMatchObject({
      first,
      last,
      missing: missing.length,
      repeated: numbers.length - new Set(numbers).size,
    });
    expect(item!.gaps.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n))).toEqual(
      missing,
    );
  });
});
