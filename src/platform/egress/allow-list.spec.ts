import { describe, expect, it } from '@jest/globals';
import { parseAllowed } from './allow-list.js';

describe('what an operator allows', () => {
  const allowed = parseAllowed(['hooks.internal', '10.1.0.0/16', '192.168.7.7', 'fd00:1::/32', '::1'])!;

  it.each([
    ['10.1.255.255', true],
    ['10.2.0.0', false],
    ['192.168.7.7', true],
    ['192.168.7.8', false],
    ['fd00:1:ffff::1', true],
    ['fd00:2::1', false],
    ['::1', true],
    ['::ffff:10.1.2.3', true],
    ['::ffff:10.2.2.3', false],
    ['::ffff:a01:203', true],
    ['fe80::1%eth0', false],
    ['hooks.internal', false],
    ['', false],
  ])('has the address %s: %s', (address, has) => {
    expect(allowed.hasAddress(address)).toBe(has);
  });

  it('has the hosts that it names, in either case, and no others', () => {
    expect(['hooks.internal', 'HOOKS.internal', 'a.hooks.internal', 'internal'].map(allowed.hasHost)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0/8', 'a b', 'https://a', 'a:80', '-a', '10.0.0.0/', ''])(
    'is refused with %p in it',
    (item) => {
      expect(parseAllowed([item])).toBeUndefined();
    },
  );
});
