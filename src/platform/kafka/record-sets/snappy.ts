import { corrupt, repeat, tooLarge } from './decompression-error.js';

/** Bytes that the Java client's library writes in front of its chunks. Other producers write one bare block. */
const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
/** The magic, then a version and the oldest version that can read it, four bytes each. */
const XERIAL_HEADER_BYTES = 16;

/** Expands Snappy, bare or in xerial's framing. Throws a `DecompressionError`. Never reads or writes beyond the declared sizes. */
export function expandSnappy(input: Buffer, maxBytes: number): Buffer {
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return expandBlock(input, maxBytes);
  if (input.length < XERIAL_HEADER_BYTES) throw corrupt();
  const chunks: Buffer[] = [];
  let room = maxBytes;
  for (let at = XERIAL_HEADER_BYTES; at < input.length; ) {
    if (input.length - at < 4) throw corrupt();
    const length = input.readUInt32BE(at);
    at += 4;
    if (length > input.length - at) throw corrupt();
    const chunk = expandBlock(input.subarray(at, at + length), room);
    chunks.push(chunk);
    room -= chunk.length;
    at += length;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function expandBlock(input: Buffer, maxBytes: number): Buffer {
  const { value: size, next } = declaredSize(input);
  if (size > maxBytes) throw tooLarge();
  // A copy of 64 bytes takes 3 bytes, so no honest block declares more; a false size must not allocate memory.
  if (size > input.length * 64) throw corrupt();
  const out = Buffer.allocUnsafe(size);
  let from = next;
  let at = 0;
  while (from < input.length) {
    const tag = input[from]!;
    from += 1;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const width = length - 60;
        if (width > input.length - from) throw corrupt();
        length = input.readUIntLE(from, width) + 1;
        from += width;
      }
      if (length > input.length - from || length > size - at) throw corrupt();
      input.copy(out, at, from, from + length);
      from += length;
      at += length;
      continue;
    }
    const width = kind === 3 ? 4 : kind;
    if (width > input.length - from) throw corrupt();
    const low = input.readUIntLE(from, width);
    from += width;
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const distance = kind === 1 ? low + ((tag >>> 5) << 8) : low;
    if (distance === 0 || distance > at || length > size - at) throw corrupt();
    repeat(out, at, distance, length);
    at += length;
  }
  if (at !== size) throw corrupt();
  return out;
}

function declaredSize(input: Buffer): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5 && i < input.length; i += 1) {
    value += (input[i]! & 0x7f) * 2 ** (7 * i);
    if (input[i]! < 0x80) return { value, next: i + 1 };
  }
  throw corrupt();
}
