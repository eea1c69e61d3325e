/**
 * Escapes control and format characters: line ends, what turns the direction of text, what has no width, and lone surrogates. Names come from outside: a
 * name must not move a cursor, hide a part of a line or pass for another.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
