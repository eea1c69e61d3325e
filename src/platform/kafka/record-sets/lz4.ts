import { corrupt, repeat, tooLarge } from './decompression-error.js';

const MAGIC = 0x184d2204;
const FLAG_VERSION_MASK = 0xc0;
const FLAG_VERSION = 0x40;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;
const NOT_COMPRESSED = 0x8000_0000;
/** Bytes of a block, by the code of the block size, 4 to 7. */
const BLOCK_BYTES: readonly number[] = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];
const MIN_MATCH = 4;
/** Upper bound on the output bytes that one byte of a length adds. */
const MOST_PER_BYTE = 255;

/**
 * Expands LZ4 frames (LZ4 Frame Format 1.6). Throws a `DecompressionError`. Never reads or writes beyond the declared sizes. LZ4's own
 * checksums are not compared: the surrounding record batch has one, and old Kafka clients wrote a wrong header checksum.
 */
export function expandLz4(input: Buffer, maxBytes: number): Buffer {
  const output = createOutput(maxBytes);
  let from = 0;
  do from = expandFrame(input, from, output);
  while (from < input.length);
  return output.taken();
}

function expandFrame(input: Buffer, start: number, output: Output): number {
  if (input.length - start < 7 || input.readUInt32LE(start) !== MAGIC) throw corrupt();
  const flags = input[start + 4]!;
  const blockBytes = BLOCK_BYTES[(input[start + 5]! >>> 4) & 7]!;
  if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION || blockBytes === 0 || (flags & FLAG_DICTIONARY) !== 0)
    throw corrupt();
  const frameAt = output.length;
  let from = start + 7 + ((flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8);
  for (;;) {
    if (input.length - from < 4) throw corrupt();
    const word = input.readUInt32LE(from);
    from += 4;
    if (word === 0) break;
    const length = word % NOT_COMPRESSED;
    if (length > input.length - from || length > blockBytes) throw corrupt();
    if (word >= NOT_COMPRESSED) output.append(input, from, length);
    else output.expand(input, from, from + length, { frameAt, blockBytes });
    from += length + ((flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
  return from + ((flags & FLAG_CONTENT_CHECKSUM) === 0 ? 0 : 4);
}

interface Output {
  readonly length: number;
  append(input: Buffer, from: number, length: number): void;
  /** Expands one block. A block may repeat bytes that its frame wrote earlier. */
  expand(input: Buffer, from: number, end: number, frame: { frameAt: number; blockBytes: number }): void;
  taken(): Buffer;
}

function createOutput(maxBytes: number): Output {
  let bytes = Buffer.allocUnsafe(0);
  let length = 0;

  function makeRoomFor(more: number): void {
    if (length + more <= bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(Math.max(bytes.length * 2, length + more), maxBytes));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  }

  return {
    get length() {
      return length;
    },
    append(input, from, count) {
      if (count > maxBytes - length) throw tooLarge();
      makeRoomFor(count);
      input.copy(bytes, length, from, from + count);
      length += count;
    },
    expand(input, from, end, { frameAt, blockBytes }) {
      const blockEnd = length + Math.min(blockBytes, (end - from) * MOST_PER_BYTE);
      makeRoomFor(Math.min(blockEnd, maxBytes) - length);
      length = expandBlock({ input, from, end }, { bytes, at: length, frameAt, blockEnd, maxBytes });
    },
    taken: () => bytes.subarray(0, length),
  };
}

function expandBlock(
  source: { input: Buffer; from: number; end: number },
  target: { bytes: Buffer; at: number; frameAt: number; blockEnd: number; maxBytes: number },
): number {
  const { input, end } = source;
  const { bytes, frameAt, blockEnd, maxBytes } = target;
  let { from } = source;
  let { at } = target;

  const longer = (length: number): number => {
    let total = length;
    for (;;) {
      if (from >= end) throw corrupt();
      const more = input[from]!;
      from += 1;
      total += more;
      if (more !== 255) return total;
    }
  };
  const claim = (length: number): void => {
    if (length > blockEnd - at) throw corrupt();
    if (length > maxBytes - at) throw tooLarge();
  };

  while (from < end) {
    const token = input[from]!;
    from += 1;
    let literals = token >>> 4;
    if (literals === 15) literals = longer(literals);
    if (literals > end - from) throw corrupt();
    claim(literals);
    input.copy(bytes, at, from, from + literals);
    from += literals;
    at += literals;
    if (from === end) return at; // A block ends in literals.
    if (end - from < 2) throw corrupt();
    const distance = input.readUInt16LE(from);
    from += 2;
    let match = token & 15;
    if (match === 15) match = longer(match);
    match += MIN_MATCH;
    if (distance === 0 || distance > at - frameAt) throw corrupt();
    claim(match);
    repeat(bytes, at, distance, match);
    at += match;
  }
  throw corrupt();
}
