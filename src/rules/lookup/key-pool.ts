import { KEY_BYTES } from '../dimension.js';

/** Number of 32-bit words of one key. */
export const KEY_WORDS = KEY_BYTES / 4;

const FIRST_CAPACITY = 64;

/** Stores selector keys of one length, 16 bytes a member, in one array. */
export interface KeyPool {
  /** Adds a key; returns its position. */
  add(text: string): number;
  /** Adds the key that stands in `other` from `at` on; returns its position. */
  copyFrom(other: Uint32Array, at: number): number;
  copyTo(position: number, other: Uint32Array, at: number): void;
  free(position: number): void;
  word(position: number, nth: number): number;
  text(position: number): string;
}

export function createKeyPool(members: number): KeyPool {
  const width = members * KEY_WORDS;
  let words = new Uint32Array(FIRST_CAPACITY * width);
  let end = 0;
  const freed: number[] = [];

  function take(): number {
    const position = freed.pop() ?? end++;
    if (end * width > words.length) {
      const grown = new Uint32Array(words.length * 2);
      grown.set(words);
      words = grown;
    }
    return position;
  }

  return {
    add(text) {
      const position = take();
      for (let nth = 0; nth < width; nth++) words[position * width + nth] = keyWord(text, nth);
      return position;
    },
    copyFrom(other, at) {
      const position = take();
      for (let nth = 0; nth < width; nth++) words[position * width + nth] = other[at + nth]!;
      return position;
    },
    copyTo(position, other, at) {
      for (let nth = 0; nth < width; nth++) other[at + nth] = words[position * width + nth]!;
    },
    free: (position) => void freed.push(position),
    word: (position, nth) => words[position * width + nth]!,
    text: (position) => wordsToText(words.subarray(position * width, (position + 1) * width)),
  };
}

/** Reads the nth 32-bit word of a key that begins at `start` of a latin1 text. */
export function keyWord(text: string, nth: number, start = 0): number {
  const at = start + nth * 4;
  return (
    (text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24)) >>>
    0
  );
}

function wordsToText(words: Uint32Array): string {
  let text = '';
  for (const word of words)
    text += String.fromCharCode(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
  return text;
}
