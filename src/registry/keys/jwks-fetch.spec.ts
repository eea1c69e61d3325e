import { describe, expect, it } from '@jest/globals';
import { createCheckedLookup, isAllowedScheme, isPublic } from './jwks-fetch.js';

describe('an address', () => {
  it.each(['9.9.9.9', '93.184.216.34', '2606:4700::1111', '::ffff:9.9.9.9'])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.2.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'localhost',
    '',
  ])('%s is not', (address) => {
    expect(isPublic(address)).toBe(false);
  });
});

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

describe('the scheme of a key set', () => {
  it.each([
    ['https://idp.example/jwks', true],
    ['http://127.0.0.1:8180/jwks', true],
    ['http://localhost:8180/jwks', true],
    ['http://[::1]:8180/jwks', true],
    ['http://127.0.0.2/jwks', false],
    ['http://idp.internal/jwks', false],
    ['http://127.0.0.1.idp.internal/jwks', false],
    ['http://localhost@idp.internal/jwks', false],
    ['file:///etc/jwks', false],
  ])('%s is allowed: %s', (uri, allowed) => {
    expect(isAllowedScheme(new URL(uri), ['127.0.0.1', 'localhost', '::1', 'idp.internal'])).toBe(allowed);
  });
});
