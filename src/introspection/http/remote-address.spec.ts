import { describe, expect, it } from '@jest/globals';
import { createRemoteAddress } from './remote-address.js';

const request = (forwarded: string | undefined, remoteAddress: string | undefined = '10.0.0.9') =>
  ({ headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, socket: { remoteAddress } }) as never;

describe('where a request comes from', () => {
  it.each<[string, string | undefined, string]>([
    ['what the proxy saw', '203.0.113.7', '203.0.113.7'],
    ['the last hop, whatever a client wrote before it', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['the last hop of IPv6', '198.51.100.1,2001:db8::7', '2001:db8::7'],
    ['the proxy, when it asks for itself', undefined, '10.0.0.9'],
    ['the proxy, when the last hop is empty', '203.0.113.7, ', '10.0.0.9'],
  ])('is behind a trusted proxy %s', (_, forwarded, address) => {
    expect(createRemoteAddress({ trustedProxy: true })(request(forwarded))).toBe(address);
  });

  it('is the peer without one, whatever the header says', () => {
    expect(createRemoteAddress({ trustedProxy: false })(request('203.0.113.7'))).toBe('10.0.0.9');
  });

  it('is nowhere once the connection is gone', () => {
    expect(createRemoteAddress({ trustedProxy: false })({ headers: {}, socket: {} } as never)).toBe('');
  });
});
