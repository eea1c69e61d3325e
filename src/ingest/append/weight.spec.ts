import { describe, expect, it } from '@jest/globals';
import type { Judged } from './submission.js';
import { portionsOf, weightOf } from './weight.js';

const scopes = (count: number): string => Array.from({ length: count }, (_, n) => `s${n}`).join(' ');
const granting = (scope: string, resources: number): Judged =>
  ({ accepted: true, event: { data: { scope, resource: Array(resources).fill('r') } } }) as unknown as Judged;
const PLAIN = { accepted: true, event: { data: {} } } as unknown as Judged;
const REFUSED = { accepted: false } as Judged;

describe('the weight of an event', () => {
  it('is one, and more with the rights that it grants', () => {
    expect(
      [PLAIN, REFUSED, granting('read write', 1), granting(scopes(100), 1), granting(scopes(100), 8)].map(weightOf),
    ).toEqual([1, 1, 1, 6, 41]);
  });

  it('bounds the portions that many are cut into, in order', () => {
    const heavy = granting(scopes(100), 8);
    expect(portionsOf([PLAIN, heavy, heavy, PLAIN, PLAIN], 83)).toEqual([
      [PLAIN, heavy, heavy],
      [PLAIN, PLAIN],
    ]);
    expect(portionsOf([heavy, heavy], 10)).toEqual([[heavy], [heavy]]);
    expect(portionsOf([], 10)).toEqual([]);
    expect(
      portionsOf(
        Array.from({ length: 1_000 }, () => PLAIN),
        1_000,
      ),
    ).toHaveLength(1);
  });
});
