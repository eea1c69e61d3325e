import { describe, expect, it } from '@jest/globals';
import { createNonces } from './dpop-nonce.js';

const secret = new Uint8Array(32).fill(7);
const PERIOD_MS = 10_000;
const START = 1_000 * PERIOD_MS;

describe('nonces', () => {
  const sut = createNonces({ secret, periodS: PERIOD_MS / 1000 });
  const given = sut.current(START);

  it('are given out for a period, and taken for one more', () => {
    expect(sut.current(START + PERIOD_MS - 1)).toBe(given);
    expect(sut.current(START + PERIOD_MS)).not.toBe(given);
    expect(
      [0, PERIOD_MS - 1, PERIOD_MS, 2 * PERIOD_MS - 1, 2 * PERIOD_MS].map((ms) => sut.check(given, START + ms)),
    ).toEqual(['current', 'current', 'previous', 'previous', 'wrong']);
    expect(sut.check(given, START - 1)).toBe('wrong');
  });

  it.each([[undefined], [1], [''], [given.slice(1)], [`${given}A`], [`${given.slice(0, -1)}!`]])(
    '%j is wrong',
    (nonce) => {
      expect(sut.check(nonce, START)).toBe('wrong');
    },
  );

  it('are the same at every process with the secret, and others without it', () => {
    expect(createNonces({ secret, periodS: PERIOD_MS / 1000 }).check(given, START)).toBe('current');
    expect(createNonces({ periodS: PERIOD_MS / 1000 }).check(given, START)).toBe('wrong');
    expect(given).toHaveLength(22);
  });

  it('last a minute by default', () => {
    const nonces = createNonces({ secret });
    const minute = nonces.current(0);
    expect([59_999, 60_000, 119_999, 120_000].map((now) => nonces.check(minute, now))).toEqual([
      'current',
      'previous',
      'previous',
      'wrong',
    ]);
  });

  it('may last a second', () => {
    expect(() => createNonces({ secret, periodS: 1 })).not.toThrow();
  });

  it.each([
    [{ secret: new Uint8Array(31) }, 'nonce.secret'],
    [{ secret, periodS: 0 }, 'nonce.periodS'],
    [{ secret, periodS: -1 }, 'nonce.periodS'],
    [{ secret, periodS: Number.NaN }, 'nonce.periodS'],
  ])('%j is refused', (options, named) => {
    expect(() => createNonces(options)).toThrow(named);
  });
});
