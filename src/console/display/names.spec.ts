import { describe, expect, it } from '@jest/globals';
import { cutName, namePartsOf } from './names.js';

const shown = (name: string): string =>
  namePartsOf(name)
    .map(({ text }) => text)
    .join('');

describe('a name that somebody else chose', () => {
  it.each([
    ['a plain name', 'mail-triage', 'mail-triage'],
    ['letters of any script', 'Ярослава 李', 'Ярослава 李'],
    ['text that is turned round', 'user\u202Egpj.exe', 'user\\u{202e}gpj.exe'],
    ['a direction that is isolated', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['characters without width', 'adm\u200Bin\uFEFF', 'adm\\u{200b}in\\u{feff}'],
    ['a soft hyphen', 'ad\u00ADmin', 'ad\\u{ad}min'],
    ['a filler that looks like nothing', 'admin\u3164', 'admin\\u{3164}'],
    ['a blank pattern', 'admin\u2800', 'admin\\u{2800}'],
    ['a mark beyond the basic plane', 'admin\u{E0041}', 'admin\\u{e0041}'],
    ['line ends and control characters', 'a\r\n\u0000b\u0085\u2028', 'a\\u{d}\\u{a}\\u{0}b\\u{85}\\u{2028}'],
    ['half a character', 'a\uD800b', 'a\\u{d800}b'],
    ['spaces that are not the plain one', 'a\u00A0b c', 'a\\u{a0}b c'],
    ['spaces at an end', ' admin ', '\\u{20}admin\\u{20}'],
    ['markup', '<b>x</b>', '<b>x</b>'],
  ])('%s', (_, name, expected) => expect(shown(name)).toBe(expected));

  it('tells an escape from the same text in the name', () => {
    expect(namePartsOf('\\u{200b}\u200b')).toEqual([
      { text: '\\u{200b}', isEscaped: false },
      { text: '\\u{200b}', isEscaped: true },
    ]);
  });

  it('is cut in its middle when it is longer than 48 characters', () => {
    expect(cutName('a'.repeat(48))).toBe('a'.repeat(48));
    expect(cutName(`${'a'.repeat(60)}-the-end-0123`)).toBe(`${'a'.repeat(35)}…the-end-0123`);
    expect(cutName('😀'.repeat(49))).toBe(`${'😀'.repeat(35)}…${'😀'.repeat(12)}`);
  });
});
