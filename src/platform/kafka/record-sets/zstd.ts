import { constants, zstdDecompress, type ZstdDecompress, type ZstdOptions } from 'node:zlib';
import { corrupt, DecompressionError, tooLarge } from './decompression-error.js';

/** RFC 8878 section 3.1.1.1.2 requires every decoder to support a window of 8 MiB. */
const LEAST_WINDOW_LOG = 23;
/** A producer writes one frame a batch. Each costs a decoder, and a batch of a megabyte has room for a hundred thousand empty ones. */
const MAX_FRAMES = 100;

interface Frame {
  readonly content: Buffer;
  /** Bytes of the input that the frame takes. */
  readonly consumed: number;
}

/** Expands Zstandard frames (RFC 8878) without a dictionary. Rejects with a {@link DecompressionError}. */
export async function expandZstd(input: Buffer, maxBytes: number): Promise<Buffer> {
  const contents: Buffer[] = [];
  let length = 0;
  // Node's decoder ends silently after one frame, whatever follows it.
  for (let at = 0; at < input.length; ) {
    if (contents.length === MAX_FRAMES) throw tooLarge();
    const { content, consumed } = await expandFrame(input.subarray(at), maxBytes - length);
    if (consumed === 0) throw corrupt();
    at += consumed;
    length += content.length;
    if (length > maxBytes) throw tooLarge();
    contents.push(content);
  }
  return Buffer.concat(contents, length);
}

async function expandFrame(input: Buffer, maxBytes: number): Promise<Frame> {
  try {
    return await decode(input, {
      maxOutputLength: Math.max(maxBytes, 1),
      // A frame of one segment has a window as large as its content. The window of any other is memory that its header alone claims.
      params: {
        [constants.ZSTD_d_windowLogMax]: Math.max(LEAST_WINDOW_LOG, Math.ceil(Math.log2(Math.max(maxBytes, 1)))),
      },
    });
  } catch (error) {
    const large = TOO_LARGE.has((error as NodeJS.ErrnoException).code ?? '');
    throw new DecompressionError(large ? 'too-large' : 'corrupt', { cause: error });
  }
}

const TOO_LARGE: ReadonlySet<string> = new Set(['ERR_BUFFER_TOO_LARGE', 'ZSTD_error_frameParameter_windowTooLarge']);

function decode(input: Buffer, options: ZstdOptions): Promise<Frame> {
  return new Promise((resolve, reject) => {
    zstdDecompress(input, { ...options, info: true }, (error, result) => {
      if (error !== null) return reject(error);
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: ZstdDecompress };
      resolve({ content: buffer, consumed: engine.bytesWritten });
    });
  });
}
