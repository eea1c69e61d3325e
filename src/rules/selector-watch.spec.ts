import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { DIMENSIONS, ruleKey, type RuleKey } from './dimension.js';
import type { Selector } from '../contracts/index.js';
import { selectorKey, splitSelectorKey } from './selector.js';
import { createSelectorWatch } from './selector-watch.js';

const TENANT_KEY = Buffer.alloc(32, 7);
const ISS = 'https://idp.example';
const user = (sub: string): Selector => ({ user: { iss: ISS, sub } });
const key = (selector: Selector) => selectorKey(TENANT_KEY, selector);

/** Builds the sets of a token that has every value that the selectors name. */
function setsOf(...selectors: readonly Selector[]): readonly (readonly RuleKey[])[] {
  const sets = DIMENSIONS.map((): RuleKey[] => []);
  for (const selector of selectors) {
    for (const [dimension, one] of splitSelectorKey(key(selector))) sets[DIMENSIONS.indexOf(dimension)]!.push(one);
  }
  return sets;
}

describe('a watch of selectors', () => {
  it('names a token above the seq it was checked at, and not at it', () => {
    const watch = createSelectorWatch();
    watch.add(key(user('alice')), 7n);
    expect(watch.namesAfter(setsOf(user('alice')), 6n)).toBe(true);
    expect(watch.namesAfter(setsOf(user('alice')), 7n)).toBe(false);
    expect(watch.namesAfter(setsOf(user('bob')), 6n)).toBe(false);
  });

  it('`all` names every token', () => {
    const watch = createSelectorWatch();
    watch.add(key({ all: true }), 3n);
    expect(watch.namesAfter(setsOf(), 2n)).toBe(true);
    expect(watch.namesAfter(setsOf(), 3n)).toBe(false);
  });

  it('the same selector ordered again counts from its newest seq, also when the older one is given up or comes late', () => {
    const watch = createSelectorWatch(2);
    watch.add(key(user('alice')), 1n);
    watch.add(key(user('alice')), 5n);
    watch.add(key(user('alice')), 3n);
    watch.add(key(user('bob')), 6n);
    expect(watch.namesAfter(setsOf(user('alice')), 4n)).toBe(true);
    expect(watch.namesAfter(setsOf(user('alice')), 5n)).toBe(false);
  });

  it('beyond its bound it forgets the oldest, and says yes to whoever was checked before those', () => {
    const watch = createSelectorWatch(3);
    for (let seq = 1n; seq <= 5n; seq++) watch.add(key(user(`user-${seq}`)), seq);
    expect(watch.size).toBe(3);
    expect(watch.floor).toBe(2n);
    expect(watch.namesAfter(setsOf(user('nobody')), 1n)).toBe(true);
    expect(watch.namesAfter(setsOf(user('nobody')), 2n)).toBe(false);
    expect(watch.namesAfter(setsOf(user('user-3')), 2n)).toBe(true);
  });

  it('a conjunction is found while another one with the same first member was given up', () => {
    const watch = createSelectorWatch(2);
    const [one, two] = [
      { ...user('alice'), resource: 'r1' },
      { ...user('alice'), resource: 'r2' },
    ];
    watch.add(key(one), 1n);
    watch.add(key(two), 2n);
    watch.add(key(user('bob')), 3n);
    expect(watch.namesAfter(setsOf(two), 1n)).toBe(true);
    watch.add(key(user('carol')), 4n);
    watch.add(key(one), 5n);
    expect(watch.namesAfter(setsOf(one), 4n)).toBe(true);
  });

  it('a conjunction that was given up and ordered again is found after another with its first member was given up', () => {
    const watch = createSelectorWatch(2);
    const [one, two] = [
      { ...user('alice'), resource: 'r1' },
      { ...user('alice'), resource: 'r2' },
    ];
    watch.add(key(one), 1n);
    watch.add(key(two), 2n);
    watch.add(key(user('bob')), 3n);
    watch.add(key(one), 5n);
    expect([watch.namesAfter(setsOf(one), 4n), watch.namesAfter(setsOf(two), 4n)]).toEqual([true, false]);
  });

  it('a conjunction is not named at the seq it was checked at, whatever begins with the same member above', () => {
    const watch = createSelectorWatch();
    const [one, two] = [
      { ...user('alice'), resource: 'r1' },
      { ...user('alice'), resource: 'r2' },
    ];
    watch.add(key(one), 5n);
    watch.add(key(two), 6n);
    expect([watch.namesAfter(setsOf(one), 4n), watch.namesAfter(setsOf(one), 5n)]).toEqual([true, false]);
  });

  it('a selector that is told twice at one seq is held once', () => {
    const watch = createSelectorWatch(2);
    watch.add(key(user('alice')), 1n);
    watch.add(key(user('alice')), 1n);
    expect(watch.size).toBe(1);
    watch.add(key(user('bob')), 2n);
    expect([watch.size, watch.floor, watch.namesAfter(setsOf(user('alice')), 0n)]).toEqual([2, -1n, true]);
  });

  it('takes every dimension that is known, and everything', () => {
    const watch = createSelectorWatch();
    for (let at = 0; at < DIMENSIONS.length; at++)
      expect(watch.add({ shape: 1 << at, key: 'k'.repeat(16) }, 1n)).toBe(true);
    expect(watch.add({ shape: 0b1111, key: 'k'.repeat(64) }, 1n)).toBe(true);
    expect(watch.add({ shape: 0, key: '' }, 1n)).toBe(true);
  });

  it('what was given up for newer ones moves its floor ahead, and never back', () => {
    const watch = createSelectorWatch(1);
    watch.add(key(user('alice')), 9n);
    watch.add(key(user('bob')), 3n);
    expect(watch.floor).toBe(9n);
    watch.add(key(user('carol')), 12n);
    expect(watch.floor).toBe(9n);
  });

  it('stays within its bound however long it runs', () => {
    const watch = createSelectorWatch(10);
    for (let seq = 1n; seq <= 1_000n; seq++) watch.add(key(user(`user-${seq % 50n}`)), seq);
    expect(watch.size).toBe(10);
    expect(watch.floor).toBe(990n);
  });

  it('cleared at a seq, it says yes below it', () => {
    const watch = createSelectorWatch();
    watch.add(key(user('alice')), 9n);
    watch.clear(8n);
    expect(watch.size).toBe(0);
    expect(watch.namesAfter(setsOf(user('bob')), 7n)).toBe(true);
    expect(watch.namesAfter(setsOf(user('alice')), 8n)).toBe(false);
  });

  it('cleared after something was given up, it begins with nothing', () => {
    const watch = createSelectorWatch(1);
    watch.add(key(user('alice')), 1n);
    watch.add(key(user('bob')), 2n);
    watch.clear(5n);
    expect([watch.size, watch.floor]).toEqual([0, 5n]);
    watch.add(key(user('carol')), 6n);
    expect([
      watch.size,
      watch.namesAfter(setsOf(user('carol')), 5n),
      watch.namesAfter(setsOf(user('bob')), 5n),
    ]).toEqual([1, true, false]);
  });

  it.each([
    ['a dimension of a later version', { shape: 1 << DIMENSIONS.length, key: 'k'.repeat(16) }],
    ['a key that is too short', { shape: 1, key: 'k'.repeat(15) }],
    ['a key too many', { shape: 1, key: 'k'.repeat(32) }],
    ['five members', { shape: 0b11111, key: 'k'.repeat(80) }],
    ['no whole number', { shape: 1.5, key: 'k'.repeat(16) }],
    ['a negative number', { shape: -1, key: '' }],
  ])('%s is refused, not left out', (_, selector) => {
    const watch = createSelectorWatch();
    expect(watch.add(selector, 1n)).toBe(false);
    expect(watch.size).toBe(0);
  });

  it('says what a list of all selectors says, whatever was added in whatever order', () => {
    const values = ['a', 'b', 'c'];
    const member = fc.constantFrom(...values);
    const selector = fc.record(
      {
        user: member.map((sub) => ({ iss: ISS, sub })),
        client: member.map((client_id) => ({ iss: ISS, client_id })),
        resource: member,
        agent_type: member,
      },
      { requiredKeys: [] },
    );
    const order = fc.tuple(selector, fc.bigInt(1n, 20n));
    const set = fc.uniqueArray(member);
    let found = 0;
    let asked = 0;
    fc.assert(
      fc.property(
        fc.array(order, { maxLength: 12 }),
        fc.tuple(set, set, set, set),
        fc.bigInt(0n, 20n),
        (orders, [users, clients, resources, types], after) => {
          const watch = createSelectorWatch();
          for (const [one, seq] of orders) watch.add(key(Object.keys(one).length === 0 ? { all: true } : one), seq);
          const sets = DIMENSIONS.map((dimension): RuleKey[] => {
            if (dimension === 'user') return users.map((sub) => ruleKey(TENANT_KEY, 'user', [ISS, null, sub]));
            if (dimension === 'client') return clients.map((id) => ruleKey(TENANT_KEY, 'client', [ISS, id]));
            if (dimension === 'resource') return resources.map((value) => ruleKey(TENANT_KEY, 'resource', [value]));
            return dimension === 'agent_type' ? types.map((value) => ruleKey(TENANT_KEY, 'agent_type', [value])) : [];
          });
          const expected = orders.some(
            ([one, seq]) =>
              seq > after &&
              (one.user === undefined || users.includes(one.user.sub)) &&
              (one.client === undefined || clients.includes(one.client.client_id)) &&
              (one.resource === undefined || resources.includes(one.resource)) &&
              (one.agent_type === undefined || types.includes(one.agent_type)),
          );
          asked++;
          if (expected) found++;
          expect(watch.namesAfter(sets, after)).toBe(expected);
        },
      ),
      { numRuns: 500 },
    );
    expect(found).toBeGreaterThan(50);
    expect(asked - found).toBeGreaterThan(50);
  });
});
