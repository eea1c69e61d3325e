import { Decompress } from 'fzstd';
import { corrupt, DecompressionError, tooLarge } from './decompression-error.js';

const MAGIC = 0xfd2fb528;
/** RFC 8878 section 3.1.1.1.2 requires every decoder to support this window. A larger one in a header alone could claim the memory. */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;
/** Limit of RFC 8878 section 3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024;

/** Expands Zstandard frames (RFC 8878) without a dictionary. Throws a `DecompressionError`. */
export function expandZstd(input: Buffer, maxBytes: number): Buffer {
  for (let at = 0; at < input.length; ) at = endOfFrame(input, at, maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const decompress = new Decompress((chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  });
  try {
    decompress.push(input, true);
  } catch (error) {
    if (error instanceof DecompressionError) throw error;
    throw new DecompressionError('corrupt', { cause: error });
  }
  return Buffer.concat(chunks, length);
}

/** Walks the headers of a frame's blocks, so that no window and no block beyond the limits reaches the decoder. */
function endOfFrame(input: Buffer, start: number, maxBytes: number): number {
  if (input.length - start < 6 || input.readUInt32LE(start) !== MAGIC) throw corrupt();
  const descriptor = input[start + 4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x03) !== 0) throw corrupt(); // A dictionary that we do not have.
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeCode;
  let at = start + 5 + (singleSegment ? 0 : 1);
  if (sizeBytes > input.length - at) throw corrupt();
  const size = contentSize(input, at, sizeBytes);
  if (size > maxBytes) throw tooLarge();
  const window = singleSegment ? size : windowBytes(input[start + 5]!);
  if (window > Math.max(MAX_WINDOW_BYTES, singleSegment ? maxBytes : 0)) throw tooLarge();
  at += sizeBytes;
  for (let last = false; !last; ) {
    if (input.length - at < 3) throw corrupt();
    const header = input.readUIntLE(at, 3);
    last = (header & 1) === 1;
    const kind = (header >>> 1) & 3;
    const length = header >>> 3;
    if (length > MAX_BLOCK_BYTES || kind === 3) throw corrupt();
    at += 3 + (kind === 1 ? 1 : length);
    if (at > input.length) throw corrupt();
  }
  return at + ((descriptor & 0x04) === 0 ? 0 : 4);
}

function contentSize(input: Buffer, at: number, width: number): number {
  if (width === 0) return 0;
  if (width === 8) return Number(input.readBigUInt64LE(at));
  return input.readUIntLE(at, width) + (width === 2 ? 256 : 0);
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
