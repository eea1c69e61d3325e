import { describe, expect, it } from '@jest/globals';
import { isAllowedScheme } from './jwks-fetch.js';

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
