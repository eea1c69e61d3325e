import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createSecondChance } from './second-chance.js';

const value = (name: string) => ({ name, asked: false });

describe('a map that gives a second chance', () => {
  it('forgets the oldest that nobody asked for', () => {
    const map = createSecondChance<ReturnType<typeof value>>({ max: 3 });
    for (const name of ['a', 'b', 'c']) map.set(name, value(name));
    map.get('a');
    map.set('d', value('d'));
    expect(['a', 'b', 'c', 'd'].map((name) => map.get(name)?.name)).toEqual(['a', undefined, 'c', 'd']);
  });

  it('replaces what is there without forgetting another', () => {
    const map = createSecondChance<ReturnType<typeof value>>({ max: 2 });
    map.set('a', value('a'));
    map.set('b', value('b'));
    map.set('b', value('b again'));
    expect([map.size, map.get('a')?.name, map.get('b')?.name]).toEqual([2, 'a', 'b again']);
  });

  it('makes room also where everything was asked for', () => {
    const map = createSecondChance<ReturnType<typeof value>>({ max: 2 });
    for (const name of ['a', 'b']) map.set(name, value(name));
    for (const name of ['a', 'b']) map.get(name);
    map.set('c', value('c'));
    expect([map.size, map.get('c')?.name]).toEqual([2, 'c']);
  });

  it('never holds more than its bound, and of what it holds answers what was set last', () => {
    const name = fc.integer({ min: 0, max: 12 }).map(String);
    const step = fc.oneof(
      fc.record({ get: name }),
      fc.record({ set: name, to: fc.string() }),
      fc.record({ delete: name }),
      fc.constant({ clear: true }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = createSecondChance<ReturnType<typeof value>>({ max: 5 });
        const model = new Map<string, string>();
        for (const one of steps) {
          if ('set' in one) {
            map.set(one.set, value(one.to));
            model.set(one.set, one.to);
            expect(map.get(one.set)?.name).toBe(one.to);
          } else if ('delete' in one) {
            map.delete(one.delete);
            model.delete(one.delete);
          } else if ('clear' in one) {
            map.clear();
            model.clear();
          } else {
            expect([undefined, model.get(one.get)]).toContain(map.get(one.get)?.name);
          }
          expect(map.size).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});
