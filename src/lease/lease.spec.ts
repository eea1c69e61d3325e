import { describe, expect, it } from '@jest/globals';
import { createLeaseClock, type Moment } from './clock.js';
import { confirmedFor, createLease, type Lease } from './lease.js';
import type { Seq } from './seq.js';

const L = 4_000;
const [LEASE_FRACTION, MAX_GRANTS, MISSED_STOP_MS] = [0.75, 10_000, 100];
const at = (monotonic: number, withStops = monotonic): Moment => ({ monotonic, withStops });
const seq = (value: number): Seq => BigInt(value) as Seq;

/** Creates a lease that was renewed at 0, with the log applied up to `held`. */
function renewed(held = 0): Lease {
  const sut = createLease({ leaseMs: L, fraction: LEASE_FRACTION });
  sut.joined('a');
  sut.applied(seq(held), true);
  sut.renewed(at(0), 'a', true);
  return sut;
}

describe('a lease', () => {
  it('begins with a renewal of the present join, after the log was read to its end, and lasts f L from before it was sent', () => {
    const sut = createLease({ leaseMs: L, fraction: LEASE_FRACTION });
    sut.applied(seq(1), true);
    sut.joined('a');
    sut.renewed(at(0), 'a', true);
    expect([sut.isCaughtUp, sut.mayAnswer(at(0))]).toEqual([false, false]);
    sut.applied(seq(2), false);
    sut.renewed(at(0), 'a', true);
    expect(sut.mayAnswer(at(0))).toBe(false);
    sut.applied(seq(3), true);
    sut.renewed(at(0), 'of an earlier join', true);
    expect(sut.mayAnswer(at(0))).toBe(false);
    sut.renewed(at(0), 'a', true);
    expect([sut.mayAnswer(at(2_999)), sut.mayAnswer(at(3_000))]).toEqual([true, false]);
  });

  it('says what is left of it, and nothing where it may not be used', () => {
    const sut = renewed();
    expect([
      sut.remainingMs(at(0)),
      sut.remainingMs(at(1_000)),
      sut.remainingMs(at(10, 2_500)),
      sut.remainingMs(at(3_000)),
    ]).toEqual([3_000, 2_000, 500, 0]);
    sut.renewed(at(1_000), 'a', true);
    expect(sut.remainingMs(at(2_000))).toBe(2_000);
    sut.leave();
    expect(sut.remainingMs(at(2_000))).toBe(0);
    expect(createLease({ leaseMs: L, fraction: LEASE_FRACTION }).remainingMs(at(0))).toBe(0);
  });

  it('ends with its row, and does not come back with another', () => {
    const sut = renewed();
    sut.renewed(at(1), 'a', false);
    expect([sut.row, sut.mayAnswer(at(1))]).toEqual([undefined, false]);
    sut.joined('b');
    sut.renewed(at(2), 'a', true);
    expect(sut.mayAnswer(at(2))).toBe(false);
    // The log was read to its end before this join: records committed in between may not have been applied here.
    sut.renewed(at(3), 'b', true);
    expect([sut.isCaughtUp, sut.mayAnswer(at(3))]).toEqual([false, false]);
    sut.applied(seq(1), true);
    sut.renewed(at(4), 'b', true);
    expect(sut.mayAnswer(at(4))).toBe(true);
  });

  it('ends with the time its host was stopped for; what it waits for in guards does not', () => {
    const sut = renewed();
    sut.grant('g', seq(0), at(0));
    sut.applied(seq(1), true);
    const suspended = at(10, 5_000);
    expect([sut.mayAnswer(suspended), confirmedFor(sut.confirmable(suspended))]).toEqual([false, 0n]);
    expect([confirmedFor(sut.confirmable(at(2_999, 8_000))), confirmedFor(sut.confirmable(at(3_000, 8_000)))]).toEqual([
      0n,
      1n,
    ]);
  });
});

it('a confirmation is that of the tenant that is furthest behind, whichever stands last', () => {
  const behind = new Map([
    ['acme', seq(3)],
    ['globex', seq(5)],
  ]);
  expect([
    confirmedFor({ applied: seq(9), behind }),
    confirmedFor({ applied: seq(9), behind }, 'globex'),
    confirmedFor({ applied: seq(9), behind }, 'initech'),
  ]).toEqual([3n, 5n, 9n]);
});

describe('a grant', () => {
  it('does not outlast the lease of its node', () => {
    const sut = renewed();
    expect(sut.grant('g', seq(0), at(1_000))).toEqual({ grantMs: 2_000 });
    expect([sut.guards(at(2_999)), sut.guards(at(3_000))]).toEqual([1, 0]);
    expect(sut.grant('g', seq(0), at(3_000))).toEqual({ refusal: 'no-lease' });
  });

  it('is refused below what was sent as confirmed, not below what the node holds', () => {
    const sut = renewed(4);
    expect(confirmedFor(sut.confirm(at(0)))).toBe(4n);
    sut.applied(seq(9), true);
    expect(sut.grant('g', seq(3), at(0))).toEqual({ refusal: 'behind' });
    expect(sut.grant('g', seq(4), at(0))).toEqual({ grantMs: 3_000 });
    expect([confirmedFor(sut.confirm(at(0))), sut.held]).toEqual([4n, 9n]);
    sut.grant('g', seq(7), at(0));
    expect(confirmedFor(sut.confirm(at(0)))).toBe(7n);
    sut.release('g');
    expect(confirmedFor(sut.confirm(at(0)))).toBe(9n);
  });

  it('of one tenant holds up what is confirmed for that tenant alone, and is refused below what was sent for it', () => {
    const sut = renewed(4);
    sut.grant('g', seq(4), at(0), 'acme');
    sut.applied(seq(9), true);
    const said = sut.confirm(at(0));
    expect([confirmedFor(said, 'acme'), confirmedFor(said, 'globex'), confirmedFor(said)]).toEqual([4n, 9n, 4n]);
    expect([sut.grant('h', seq(8), at(0), 'globex'), sut.grant('i', seq(3), at(0), 'acme')]).toEqual([
      { refusal: 'behind' },
      { refusal: 'behind' },
    ]);
    expect([sut.grant('h', seq(9), at(0), 'globex'), sut.grant('i', seq(4), at(0), 'acme')]).toEqual([
      { grantMs: 3_000 },
      { grantMs: 3_000 },
    ]);
    sut.applied(seq(12), true);
    expect([...sut.confirmable(at(0)).behind]).toEqual([
      ['acme', 4n],
      ['globex', 9n],
    ]);
    for (const guard of ['g', 'i']) sut.grant(guard, seq(12), at(0), 'acme');
    const later = sut.confirm(at(0));
    expect([confirmedFor(later, 'acme'), confirmedFor(later, 'globex')]).toEqual([12n, 9n]);
    // The highest number that was sent for a tenant is never forgotten, whether or not one of its guards was behind.
    sut.release('h');
    expect(confirmedFor(sut.confirm(at(0)), 'globex')).toBe(12n);
    expect([sut.grant('h', seq(11), at(0), 'globex'), sut.grant('j', seq(11), at(0), 'acme')]).toEqual([
      { refusal: 'behind' },
      { refusal: 'behind' },
    ]);
    const loaded = createLease({ leaseMs: L, fraction: LEASE_FRACTION }, sut.snapshot());
    expect(loaded.snapshot()).toEqual(sut.snapshot());
  });

  it('of a guard that is further behind than another of its tenant is what counts, whichever came first', () => {
    const sut = renewed(4);
    sut.grant('g', seq(4), at(0), 'acme');
    sut.applied(seq(9), true);
    for (const held of [7, 9]) sut.grant(`at ${held}`, seq(held), at(0), 'acme');
    sut.grant('h', seq(9), at(0), 'globex');
    expect([...sut.confirmable(at(0)).behind]).toEqual([['acme', 4n]]);
    sut.grant('last', seq(5), at(0), 'acme');
    sut.release('g');
    expect([...sut.confirmable(at(0)).behind]).toEqual([['acme', 5n]]);
  });

  it('is refused when there are too many; ended ones make room', () => {
    const sut = renewed();
    for (let n = 0; n < MAX_GRANTS; n++) sut.grant(`g${n}`, seq(0), at(0));
    expect(sut.grant('one more', seq(0), at(1))).toEqual({ refusal: 'full' });
    expect(sut.grant('g0', seq(0), at(1))).toEqual({ grantMs: 2_999 });
    sut.renewed(at(3_000), 'a', true);
    expect(sut.grant('one more', seq(0), at(3_001))).toEqual({ grantMs: 2_999 });
  });

  it('keeps a node that leaves', () => {
    const sut = renewed();
    sut.grant('g', seq(0), at(0));
    sut.leave();
    expect([sut.mayAnswer(at(1)), sut.grant('h', seq(0), at(1)), sut.mayGo(at(2_999)), sut.mayGo(at(3_000))]).toEqual([
      false,
      { refusal: 'leaving' },
      false,
      true,
    ]);
  });
});

describe('the clocks of a lease', () => {
  it('take a wall clock that goes ahead for stopped time, and never go back', () => {
    let monotonic = 1_000;
    let wall = 5_000_000;
    const clock = createLeaseClock({ monotonic: () => monotonic, wall: () => wall });
    const pass = (ran: number, wallRan: number): Moment => {
      monotonic += ran;
      wall += wallRan;
      return clock();
    };
    expect(pass(10, 10)).toEqual(at(1_010));
    expect(pass(10, 10 + MISSED_STOP_MS)).toEqual(at(1_020));
    // The two gains together are more than an adjustment.
    expect(pass(10, 11)).toEqual(at(1_030, 1_030 + MISSED_STOP_MS + 1));
    expect(pass(10, -60_000)).toEqual(at(1_040, 1_040 + MISSED_STOP_MS + 1));
    expect(pass(10, 7_010)).toEqual(at(1_050, 1_050 + MISSED_STOP_MS + 7_001));
  });
});
