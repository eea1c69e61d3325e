import { describe, expect, it } from '@jest/globals';
import { createPreviews } from './orders.js';

const SELECTION = { selector: { user: { iss: 'https://idp.example', sub: 'alice' } }, effect: 'block' };
const ORDER = { ...SELECTION, reason: 'left' };

describe('an order', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['of another client', 'other-key', ORDER],
    ['of another selection', 'key', { ...ORDER, selector: { user: { iss: 'https://idp.example', sub: 'bob' } } }],
    ['with another effect', 'key', { ...ORDER, effect: 'revoke' }],
    ['with another end', 'key', { ...ORDER, until: 1 }],
  ])('%s has no preview', (_, key, order) => {
    const sut = createPreviews();
    sut.saw('key', SELECTION);
    expect(() => sut.orderKey(key, order)).toThrow('preview it first');
    expect(sut.orderKey('key', ORDER)).toMatch(/^[\w-]{43}$/);
  });

  it('waits for the same rule when it is repeated, and is a new one with another reason or after another preview', () => {
    const sut = createPreviews();
    sut.saw('key', SELECTION);
    const first = sut.orderKey('key', ORDER);
    expect(sut.orderKey('key', { reason: 'left', ...SELECTION })).toBe(first);
    expect(sut.orderKey('key', { ...ORDER, reason: 'else' })).not.toBe(first);
    sut.saw('key', SELECTION);
    expect(sut.orderKey('key', ORDER)).not.toBe(first);
  });

  it('needs another preview once it is in force', () => {
    const sut = createPreviews();
    sut.saw('key', SELECTION);
    sut.ordered('key', ORDER);
    expect(() => sut.orderKey('key', ORDER)).toThrow('preview it first');
  });
});
