import { createHash } from 'node:crypto';
import { createChains, type SelectorKey } from '../../rules/index.js';

const FIRST_CAPACITY = 64;
/** 32-bit words of a name's digest, and of a row, which holds the digest and a double. */
const NAME_WORDS = 4;
const ROW_WORDS = 6;

/**
 * Remembers when each speaker last enabled a selector, by event time (epoch milliseconds): an older disabling that arrives later
 * must not block. Entries are kept for ever, 32 bytes each, because an event may be late without bound.
 */
export interface NewestEnabling {
  readonly size: number;
  /** Returns the time of the newest enabling; -Infinity if there is none. */
  get(speaker: number, selector: SelectorKey): number;
  raise(speaker: number, selector: SelectorKey, at: number): void;
  dump(): Buffer;
  load(dumped: Buffer): void;
}

export function createNewestEnabling(): NewestEnabling {
  const chains = createChains();
  chains.reset(FIRST_CAPACITY);
  let words = new Uint32Array(FIRST_CAPACITY * ROW_WORDS);
  let doubles = new Float64Array(words.buffer);
  let size = 0;

  const at = (row: number): number => (row * ROW_WORDS + NAME_WORDS) / 2;

  function reserve(rows: number): void {
    let length = words.length;
    while (length < rows * ROW_WORDS) length *= 2;
    if (length === words.length) return;
    const grown = new Uint32Array(length);
    grown.set(words);
    words = grown;
    doubles = new Float64Array(words.buffer);
    relink();
  }

  function relink(): void {
    chains.reset(words.length / ROW_WORDS);
    for (let row = 0; row < size; row++) chains.link(row, words[row * ROW_WORDS]!);
  }

  function rowOf(name: Uint32Array): number | undefined {
    for (let row = chains.first(name[0]!); row >= 0; row = chains.next(row)) {
      if (name.every((word, nth) => words[row * ROW_WORDS + nth] === word)) return row;
    }
    return undefined;
  }

  return {
    get size() {
      return size;
    },
    get(speaker, selector) {
      const row = rowOf(nameOf(speaker, selector));
      return row === undefined ? -Infinity : doubles[at(row)]!;
    },
    raise(speaker, selector, time) {
      const name = nameOf(speaker, selector);
      const row = rowOf(name);
      if (row !== undefined) {
        doubles[at(row)] = Math.max(doubles[at(row)]!, time);
        return;
      }
      reserve(size + 1);
      words.set(name, size * ROW_WORDS);
      doubles[at(size)] = time;
      chains.link(size, name[0]!);
      size += 1;
    },
    dump: () => Buffer.from(words.slice(0, size * ROW_WORDS).buffer),
    load(dumped) {
      const rows = dumped.length / (ROW_WORDS * Uint32Array.BYTES_PER_ELEMENT);
      reserve(size + rows);
      dumped.copy(new Uint8Array(words.buffer), size * ROW_WORDS * Uint32Array.BYTES_PER_ELEMENT);
      size += rows;
      relink();
    },
  };
}

function nameOf(speaker: number, { shape, key }: SelectorKey): Uint32Array {
  const digest = createHash('sha256').update(`${speaker}|${shape}|${key}`, 'latin1').digest();
  return Uint32Array.from({ length: NAME_WORDS }, (_, nth) => digest.readUInt32LE(nth * 4));
}
