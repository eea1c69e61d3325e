import { describe, expect, it } from '@jest/globals';
import { createGuardClock } from './guard-clock.js';

describe('the clock of a guard', () => {
  let monotonic = 0;
  let wall = 0;
  const start = (): (() => number) => {
    [monotonic, wall] = [1_000, 1_900_000_000_000];
    return createGuardClock({ monotonic: () => monotonic, wall: () => wall });
  };
  const pass = (ms: number, wallMs = ms): void => {
    monotonic += ms;
    wall += wallMs;
  };

  it('goes with the monotonic one', () => {
    const sut = start();
    const before = sut();
    pass(500);
    expect(sut() - before).toBe(500);
  });

  it('counts the time in which a host was suspended, which only the wall clock shows', () => {
    const sut = start();
    const before = sut();
    pass(20, 60_020);
    expect(sut() - before).toBe(60_020);
    pass(10);
    expect(sut() - before).toBe(60_030);
  });

  it('does not count what the wall clock gains by less than 100 ms, nor a wall clock that is set back', () => {
    const sut = start();
    const before = sut();
    pass(10, 110);
    expect(sut() - before).toBe(10);
    pass(10, -3_600_000);
    expect(sut() - before).toBe(20);
  });

  it('counts what the wall clock gains by more than 100 ms, at once or by and by', () => {
    const sut = start();
    const before = sut();
    pass(0, 100);
    expect(sut() - before).toBe(0);
    pass(0, 1);
    expect(sut() - before).toBe(101);
    pass(0, 60);
    expect(sut() - before).toBe(101);
    pass(0, 60);
    expect(sut() - before).toBe(221);
  });

  it('counts a suspension after the wall clock was set back in full', () => {
    const sut = start();
    const before = sut();
    pass(10, -3_600_000);
    sut();
    pass(10, 5_010);
    expect(sut() - before).toBe(5_020);
  });

  it('never goes back', () => {
    const sut = start();
    let last = sut();
    for (const wallMs of [0, 5_000, -9_000, 90, 101, -1, 300]) {
      pass(1, wallMs);
      const now = sut();
      expect(now).toBeGreaterThan(last);
      last = now;
    }
  });
});
