import { describe, expect, it } from '@jest/globals';
import { networkOf } from './networks.js';

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.0/24'],
    ['::FFFF:203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0DB8:0001::7', '2001:db8:1::/48'],
    ['2001:db8::7', '2001:db8::/48'],
    ['::1', '::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['64:ff9b::203.0.113.7', '64:ff9b::/48'],
    ['203.0.113.7:4711', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('%s is in %s', (address, network) => expect(networkOf(address, { ipv4: 24, ipv6: 48 })).toBe(network));

  it('has as many bits as are asked for', () => {
    expect(networkOf('203.0.113.7', { ipv4: 32, ipv6: 64 })).toBe('203.0.113.7/32');
    expect(networkOf('2001:db8:0:1::7', { ipv4: 32, ipv6: 64 })).toBe('2001:db8:0:1::/64');
  });
});
