import { describe, expect, it } from '@jest/globals';
import { array, assert, property, string } from 'fast-check';
import { decodeCursor, encodeCursor, questionOf } from './cursor.js';

const KEY = Buffer.alloc(32, 7);
const question = questionOf(
  'access',
  new Map([
    ['user', '17'],
    ['limit', '5'],
    ['cursor', 'x'],
  ]),
);

describe('cursor', () => {
  it('comes back as it was, for the same question, whatever its page', () => {
    assert(
      property(array(string(), { minLength: 1, maxLength: 4 }), (position) => {
        const cursor = encodeCursor(KEY, question, position);
        expect(
          decodeCursor(
            KEY,
            questionOf(
              'access',
              new Map([
                ['user', '17'],
                ['limit', '9'],
              ]),
            ),
            cursor,
          ),
        ).toEqual(position);
      }),
    );
  });

  it.each([
    ['another tenant', Buffer.alloc(32, 8), question],
    ['another question', KEY, { ...question, name: 'grants' }],
    ['another filter', KEY, questionOf('access', new Map([['user', '18']]))],
    [
      'a further filter',
      KEY,
      questionOf(
        'access',
        new Map([
          ['user', '17'],
          ['outcome', 'denied'],
        ]),
      ),
    ],
    ['a filter less', KEY, questionOf('access', new Map())],
  ])('is refused for %s', (_, key, other) => {
    expect(() => decodeCursor(key, other, encodeCursor(KEY, question, ['1', '2']))).toThrow(
      expect.objectContaining({ code: 'invalid-cursor' }),
    );
  });

  it('is refused when any of its characters is another', () => {
    const cursor = encodeCursor(KEY, question, ['1790000000', '4711']);
    for (let at = 0; at < cursor.length; at++) {
      const other = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
      expect(() => decodeCursor(KEY, question, other)).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
    }
  });

  it.each(['1', '12', '123'])(
    'is refused in another base64url spelling of the same bytes (position %s)',
    (position) => {
      const cursor = encodeCursor(KEY, question, [position]);
      const bytes = Buffer.from(cursor, 'base64url');
      const last = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
        (character) => cursor.slice(0, -1) + character,
      );
      const spellings = [...last, `${cursor}=`, `${cursor}==`, `${cursor}\n`].filter(
        (other) => other !== cursor && Buffer.from(other, 'base64url').equals(bytes),
      );
      expect(spellings.length).toBeGreaterThan(0);
      for (const other of spellings)
        expect(() => decodeCursor(KEY, question, other)).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
    },
  );
});
