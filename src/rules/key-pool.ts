import { KEY_BYTES } from './dimension.js';

/** 32-bit words of one key. */
export const KEY_WORDS = KEY_BYTES / 4;

const FIRST_CAPACITY = 64;

/** Selector keys of one length, 16 bytes a member, in one array. */
export interface KeyPool {
  /** Where the key stands from now on. */
  add(text: string): number;
  /** Likewise, for one that stands in other words. */
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

/** The nth four bytes of a key that is held as latin1 text, there from `start` on. */
export function keyWord(text: string, nth: number, start = 0): number {
  const at = start + nth * 4;
  return (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24)) >>> 0;
}

function wordsToText(words: Uint32Array): string {
  let text = '';
  for (const word of words) text += String.fromCharCode(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
  return text;
}
