import { describe, expect, it } from '@jest/globals';
import type { Trap } from '../../test/model/lease-moves.js';
import type { Size } from '../../test/model/lease-world.js';
import { search } from '../../test/model/search.js';
import { longestWait } from '../../test/model/waits.js';

/** L of 4 ticks and f of 0.75; one node that may be started twice; one statement at a time may come late. */
const NODE: Size = {
  nodes: 1,
  guards: 0,
  rules: 1,
  joins: 2,
  guardStarts: 1,
  late: 1,
  lateQuestions: 0,
  databaseCrashes: 0,
  leaves: false,
  lease: 4,
  fraction: 0.75,
  rates: { node: 1, guard: 1, waiter: 1 },
};
const GUARD: Size = { ...NODE, joins: 1, late: 0, guards: 1 };
/** The shortest lease within which a node can still be paused; used where the state space would otherwise be too large. */
const SHORT = { lease: 2, fraction: 0.5 };

const LIMIT = 1_500_000;

describe('the lease protocol: whoever’s clock says it holds a lease has applied every rule that was answered', () => {
  it.each<[string, Size]>([
    ['one node that crashes, starts again and is reaped; late statements', NODE],
    ['the same with a database that crashes, and a node that leaves', { ...NODE, leaves: true, databaseCrashes: 1 }],
    [
      'a waiter whose clock runs a quarter faster than the node’s',
      { ...NODE, rates: { node: 1, guard: 1, waiter: 1.25 } },
    ],
    ['two nodes', { ...NODE, ...SHORT, nodes: 2, joins: 1, late: 0 }],
    ['a guard', GUARD],
    ['a guard, and a node that leaves', { ...GUARD, ...SHORT, leaves: true }],
    ['a guard and two rules', { ...GUARD, ...SHORT, rules: 2 }],
    ['a guard that starts again; its late questions', { ...GUARD, ...SHORT, guardStarts: 2, lateQuestions: 1 }],
    [
      'a guard whose clock is the slowest',
      { ...GUARD, lease: 6, fraction: 0.5, rates: { node: 1.5, guard: 1, waiter: 1.5 } },
    ],
  ])('%s', (_, size) => {
    const found = search({ size }, LIMIT);
    expect(found).toMatchObject({ violation: undefined, isComplete: true, isAnswered: true });
    expect(found.worlds).toBeGreaterThan(10_000);
  });

  it.each<[Trap, Size, RegExp]>([
    ['row id used again', NODE, /^node/],
    ['own row adopted after a restart', NODE, /^node/],
    ['read before the join was heard', NODE, /^node/],
    ['lease counted from the reply', NODE, /^node/],
    ['decide, await, then check the lease', NODE, /^node/],
    ['lease as a flag that a timer clears', NODE, /^node/],
    ['renewal that is not durable', { ...NODE, databaseCrashes: 1 }, /^node/],
    ['deletion that is not durable', { ...NODE, databaseCrashes: 1 }, /^node/],
    ['deletion whatever the counter', NODE, /^node/],
    ['waiter’s clock started before the reply', NODE, /^node/],
    ['waiter’s clock not started again at a new counter', NODE, /^node/],
    ['rows read before the commit was heard', NODE, /^node/],
    ['retry that answers at once', NODE, /^node/],
    ['held written as confirmed', GUARD, /^guard/],
    ['grant to a guard below what was confirmed', GUARD, /^guard/],
    ['grant recorded after it is answered', { ...GUARD, lateQuestions: 1 }, /^guard/],
    ['grant counted from the reply', GUARD, /^guard/],
    ['grant used whole', { ...GUARD, lease: 6, fraction: 0.5, rates: { node: 1.5, guard: 1, waiter: 1.5 } }, /^guard/],
    ['guard id used again', { ...GUARD, ...SHORT, guardStarts: 2, lateQuestions: 1 }, /^guard/],
    ['node leaves while its grants run', { ...GUARD, leaves: true }, /^guard/],
  ])('finds what breaks without: %s', (trap, size, who) => {
    const { violation } = search({ size, trap }, LIMIT);
    expect(violation?.what).toMatch(who);
  });

  it('finds what breaks where clocks run further apart than f allows', () => {
    const { violation } = search({ size: { ...NODE, rates: { node: 1, guard: 1, waiter: 2 } } }, LIMIT);
    expect(violation?.what).toMatch(/^node/);
  });
});

describe('waits end: L on the waiter’s clock and a cycle after the last that goes wrong, whoever stands still from then on', () => {
  it.each<[string, Size]>([
    ['one node', NODE],
    ['two nodes', { ...NODE, ...SHORT, nodes: 2, joins: 1, late: 0 }],
    ['a guard, and a node that leaves', { ...GUARD, leaves: true }],
  ])('%s', (_, size) => {
    const { tried, longest } = longestWait({ size }, 40_000, 40);
    expect(tried).toBeGreaterThan(500);
    expect(longest).toBeLessThanOrEqual(size.lease + 1);
  });

  it('but for ever where a node renews without reading', () => {
    expect(longestWait({ size: NODE, trap: 'renewing without reading' }, 40_000, 40).longest).toBe(Infinity);
  });
});
