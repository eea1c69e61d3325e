import { describe, expect, it } from '@jest/globals';
import { prefersAsync } from './prefer.js';

describe('Prefer (RFC 7240)', () => {
  it.each([
    ['respond-async', true],
    ['Respond-Async', true],
    [' wait=10 , respond-async ', true],
    ['respond-async; foo="a,b"', true],
    ['foo="bar, respond-async", wait=3', false],
    ['foo="a\\", respond-async"', false],
    ['foo="never closed, respond-async', false],
    ['respond-async, foo="never closed\\', true],
    [`"${'\\"'.repeat(8_000)}, respond-async`, false],
    ['respond-asynchronously', false],
    ['wait=100', false],
    ['', false],
    [undefined, false],
  ])('%j: %j', (header, expected) => {
    expect(prefersAsync(header)).toBe(expected);
  });
});
