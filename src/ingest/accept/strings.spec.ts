import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { checkStrings, checkUnread } from './strings.js';

const SECRET = `rsk_${'a'.repeat(43)}`;

/** Returns the code and detail of a refusal; undefined if nothing is refused. */
function refusalOf(check: () => void): readonly [string, string | undefined] | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof RescindError)) throw error;
    return [error.code, error.detail];
  }
}

describe('the strings of an event', () => {
  it.each<[string, unknown]>([
    ['512 bytes of one each', { sub: 'x'.repeat(512) }],
    ['512 bytes of two each', { sub: 'é'.repeat(256) }],
    ['510 bytes of three each', { sub: '€'.repeat(170) }],
    ['512 bytes of four each', { sub: '😀'.repeat(128) }],
    [
      'a long text',
      {
        path: 'x'.repeat(513),
        reason: 'x'.repeat(513),
        scope: 'x'.repeat(513),
        error: 'x'.repeat(513),
        route: 'x'.repeat(513),
      },
    ],
    ['what is no text', { iat: 7, flags: [true, null], none: undefined }],
  ])('may be %s', (_, value) => {
    expect(refusalOf(() => checkStrings(value))).toBeUndefined();
  });

  it.each<[string, unknown, string, string]>([
    ['513 bytes of one each', { sub: 'x'.repeat(513) }, 'identifier-too-long', '`sub`'],
    ['514 bytes of two each', { sub: 'é'.repeat(257) }, 'identifier-too-long', '`sub`'],
    ['513 bytes of three each', { sub: '€'.repeat(171) }, 'identifier-too-long', '`sub`'],
    ['516 bytes of four each', { sub: '😀'.repeat(129) }, 'identifier-too-long', '`sub`'],
    ['too long in a list', { aud: ['a', 'x'.repeat(513)] }, 'identifier-too-long', '`aud`'],
    ['too long within a member', { agent: { id: 'x'.repeat(513) } }, 'identifier-too-long', '`id`'],
    ['a name that is too long', { agent: { ['x'.repeat(513)]: 1 } }, 'identifier-too-long', '`agent`'],
    ['a NUL', { sub: 'a\0b' }, 'nul', '`sub`'],
    ['half of a character', { sub: 'a\ud800' }, 'lone-surrogate', '`sub`'],
    ['a secret', { path: `/x?key=${SECRET}` }, 'secret-in-event', '`path`'],
    ['a secret as a name', { agent: { [SECRET]: 1 } }, 'secret-in-event', '`agent`'],
    [
      'a secret within a member of a long name',
      { ['x'.repeat(65)]: SECRET },
      'secret-in-event',
      `\`${'x'.repeat(64)}\``,
    ],
  ])('cannot be %s', (_, value, code, detail) => {
    expect(refusalOf(() => checkStrings(value))).toEqual([code, detail]);
  });
});

describe('members that nobody reads', () => {
  it.each<[string, unknown]>([
    ['a text of any length', { more: 'x'.repeat(10_000), list: ['x'.repeat(10_000)] }],
    ['numbers, flags and nothing', { more: [0, -1.5, 1e300, true, false, null] }],
  ])('may be %s', (_, value) => {
    expect(refusalOf(() => checkUnread(value))).toBeUndefined();
  });

  it.each<[string, unknown, string, string]>([
    ['a NUL', { more: { deep: ['a\0'] } }, 'nul', '`deep`'],
    ['a NUL as a name', { more: { 'a\0': 1 } }, 'nul', '`more`'],
    ['half of a character', { more: '\udc00' }, 'lone-surrogate', '`more`'],
    ['a secret', { more: [SECRET] }, 'secret-in-event', '`more`'],
    [
      'a number that has no canonical form',
      { ['x'.repeat(65)]: [1, Infinity] },
      'invalid-data',
      `\`${'x'.repeat(64)}\` is too large a number`,
    ],
  ])('cannot be %s', (_, value, code, detail) => {
    expect(refusalOf(() => checkUnread(value))).toEqual([code, detail]);
  });
});
