import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { DecompressionError } from './decompression-error.js';
import { expandLz4 } from './lz4.js';
import { expandSnappy } from './snappy.js';
import { expandZstd } from './zstd.js';

/**
 * Bytes that one record batch may expand to. A broker accepts 1 MiB of compressed bytes by default, and JSON rarely shrinks to less than
 * a twentieth. A batch that goes beyond is refused whole before its bytes are allocated.
 */
export const MAX_EXPANDED_BYTES = 32 * 1024 * 1024;

/** Codec in the three lowest bits of a batch's attributes. */
export type CodecId = 1 | 2 | 3 | 4;
export const CODEC_NAMES: Readonly<Record<CodecId, string>> = { 1: 'gzip', 2: 'snappy', 3: 'lz4', 4: 'zstd' };

const gunzipped = promisify(gunzip);

/** Expands the bytes. Rejects with a {@link DecompressionError}. */
export async function decompress(
  codec: CodecId,
  bytes: Buffer,
  maxBytes: number = MAX_EXPANDED_BYTES,
): Promise<Buffer> {
  switch (codec) {
    case 1:
      return expandGzip(bytes, maxBytes);
    case 2:
      return expandSnappy(bytes, maxBytes);
    case 3:
      return expandLz4(bytes, maxBytes);
    case 4:
      return expandZstd(bytes, maxBytes);
    default:
      return codec satisfies never;
  }
}

async function expandGzip(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await gunzipped(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const problem = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'corrupt';
    throw new DecompressionError(problem, { cause: error });
  }
}
