import { describe, expect, it } from '@jest/globals';
import { isLoopback } from '../config/index.js';
import { isPublic } from './addresses.js';
import { createCheckedLookup } from './checked-lookup.js';

describe('the addresses of a name', () => {
  const PUBLIC = { address: '9.9.9.9', family: 4 };
  const PUBLIC_6 = { address: '2606:4700::1111', family: 6 };
  const PRIVATE = { address: '10.0.0.1', family: 4 };
  const LOOPBACK_6 = { address: '::1', family: 6 };

  /** Resolves with the result that the resolver gives to a connection that asks for one address or for all. */
  const told = (
    found: readonly { address: string; family: number }[],
    all: boolean,
    kind: 'public' | 'loopback' = 'public',
  ): Promise<unknown> =>
    new Promise((resolve) => {
      const sut = createCheckedLookup(
        (_hostname, options, callback) => callback(null, options.all ? [...found] : []),
        kind === 'public' ? isPublic : isLoopback,
        kind,
      );
      sut('keys.example', { all }, (error, addresses) => resolve(error?.message ?? addresses));
    });

  it.each([true, false])('are told where all are public (all: %s)', async (all) => {
    expect(await told([PUBLIC, PUBLIC_6], all)).toEqual(all ? [PUBLIC, PUBLIC_6] : PUBLIC.address);
  });

  it.each([
    ['the first is not public', [PRIVATE, PUBLIC]],
    ['the second is not public', [PUBLIC, PRIVATE]],
    ['the last is not public', [PUBLIC, PUBLIC_6, LOOPBACK_6]],
    ['there are none', []],
  ])('are refused where %s', async (_, found) => {
    for (const all of [true, false]) expect(await told(found, all)).toBe('the address is not public');
  });

  it('are told for http where all are loopback, and refused where one is not', async () => {
    expect(await told([LOOPBACK_6], true, 'loopback')).toEqual([LOOPBACK_6]);
    for (const found of [[LOOPBACK_6, PRIVATE], [PUBLIC], []])
      expect(await told(found, true, 'loopback')).toBe('the address is not loopback');
  });
});
