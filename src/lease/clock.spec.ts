import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLeaseClock, MISSED_STOP_MS, type Moment } from './clock.js';

describe('the clock of a lease', () => {
  let monotonic: number;
  let wall: number;
  let sut: () => Moment;
  beforeEach(() => {
    [monotonic, wall] = [1_000, 1_900_000_000_000];
    sut = createLeaseClock({ monotonic: () => monotonic, wall: () => wall });
  });
  const pass = (ms: number, wallMs = ms): void => {
    monotonic += ms;
    wall += wallMs;
  };

  it('begins and goes with the monotonic one', () => {
    expect(sut()).toEqual({ monotonic: 1_000, withStops: 1_000 });
    pass(500);
    expect(sut()).toEqual({ monotonic: 1_500, withStops: 1_500 });
  });

  it('a stop of the host counts for what ends a right of one’s own, and not for what waits for another’s', () => {
    pass(20, 60_020);
    expect(sut()).toEqual({ monotonic: 1_020, withStops: 61_020 });
    expect(sut()).toEqual({ monotonic: 1_020, withStops: 61_020 });
    pass(10, 30_010);
    expect(sut()).toEqual({ monotonic: 1_030, withStops: 91_030 });
  });

  it('a stop is what the wall clock gains beyond the limit, which itself is none', () => {
    pass(0, MISSED_STOP_MS);
    expect(sut().withStops).toBe(1_000);
    pass(0, 1);
    expect(sut().withStops).toBe(1_000 + MISSED_STOP_MS + 1);
  });

  it('gains that are each no stop add up to one', () => {
    for (let nth = 0; nth < 3; nth++) {
      pass(10, 10 + MISSED_STOP_MS / 2);
      sut();
    }
    expect(sut().withStops).toBe(1_030 + 1.5 * MISSED_STOP_MS);
  });

  it('a wall clock that is set back changes nothing, and a stop after it counts whole', () => {
    pass(10, -3_600_000);
    expect(sut().withStops).toBe(1_010);
    pass(0, 60_000);
    expect(sut().withStops).toBe(61_010);
  });

  it('reads the clocks of the host by default', () => {
    const before = performance.now();
    const { monotonic: read } = createLeaseClock()();
    expect(read).toBeGreaterThanOrEqual(before);
    expect(read).toBeLessThanOrEqual(performance.now());
  });
});
