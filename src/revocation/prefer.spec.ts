import { describe, expect, it } from '@jest/globals';
import { prefersAsync, prefersMinimal } from './prefer.js';

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

  it.each([
    ['return=minimal', true],
    ['respond-async, Return = Minimal; a=b', true],
    ['return=representation', false],
    ['foo="return=minimal"', false],
    ['return=minimally', false],
    [undefined, false],
  ])('%j, for no more than was confirmed: %j', (header, expected) => {
    expect(prefersMinimal(header)).toBe(expected);
  });
});
