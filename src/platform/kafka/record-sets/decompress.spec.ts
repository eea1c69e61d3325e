import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decompress, MAX_EXPANDED_BYTES, type CodecId } from './decompress.js';
import { DecompressionError } from './decompression-error.js';

const require = createRequire(import.meta.url);
const { compress: snappy } = require('snappyjs') as { compress(bytes: Buffer): Buffer };
const { compress: lz4 } = require('lz4js') as { compress(bytes: Buffer): Uint8Array };

function xerial(...chunks: Buffer[]): Buffer {
  const header = Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1');
  return Buffer.concat([header, ...chunks.flatMap((chunk) => [int32(chunk.length), chunk])]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

type Block = Buffer | { byte: number; times: number };

/** Builds a frame (RFC 8878) of a single segment with four bytes of size, and blocks that are raw or repeated. */
function zstd(...blocks: readonly Block[]): Buffer {
  const size = blocks.reduce((sum, block) => sum + (Buffer.isBuffer(block) ? block.length : block.times), 0);
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  header.writeUInt32LE(size, 5);
  return zstdFrame(header, blocks);
}

/** Builds the same with a window of 128 KiB and no size, as a streaming encoder writes it. */
const zstdWithoutSize = (...blocks: readonly Block[]): Buffer =>
  zstdFrame(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]), blocks);

function zstdFrame(header: Buffer, blocks: readonly Block[]): Buffer {
  const encoded = blocks.map((block, i) => {
    const raw = Buffer.isBuffer(block);
    const head = Buffer.alloc(3);
    head.writeUIntLE((raw ? block.length << 3 : (block.times << 3) | 2) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, raw ? block : Buffer.from([block.byte])]);
  });
  return Buffer.concat([header, ...encoded]);
}

const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;
const LIMIT = 1024 * 1024;
const TEXT = Buffer.from('{"iss":"https://idp.example","sub":"alice","aud":["https://chat.example"]}'.repeat(300));
const ENCODED: readonly [string, CodecId, (bytes: Buffer) => Buffer][] = [
  ['gzip', 1, (bytes) => gzipSync(bytes)],
  ['bare snappy', SNAPPY, (bytes) => Buffer.from(snappy(bytes))],
  [
    'framed snappy',
    SNAPPY,
    (bytes) => xerial(Buffer.from(snappy(bytes.subarray(0, 1_000))), Buffer.from(snappy(bytes.subarray(1_000)))),
  ],
  ['lz4', LZ4, (bytes) => Buffer.from(lz4(bytes))],
  ['zstd', ZSTD, (bytes) => zstdCompressSync(bytes, { pledgedSrcSize: bytes.length })],
  [
    'zstd with a checksum',
    ZSTD,
    (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  ],
  ['zstd that compresses nothing', ZSTD, (bytes) => zstd(...chunksOf(bytes, 128 * 1024 - 1))],
  [
    'zstd in several frames',
    ZSTD,
    (bytes) => Buffer.concat(chunksOf(bytes, Math.ceil(bytes.length / 3)).map((chunk) => zstdCompressSync(chunk))),
  ],
  ['zstd that does not state its size', ZSTD, (bytes) => zstdWithoutSize(...chunksOf(bytes, 128 * 1024 - 1))],
];

function chunksOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, nth) =>
    bytes.subarray(nth * size, (nth + 1) * size),
  );
}

const problemOf = async (codec: CodecId, bytes: Buffer, limit = LIMIT): Promise<string> => {
  const error = await decompress(codec, bytes, limit).catch((thrown: unknown) => thrown);
  return error instanceof DecompressionError ? error.problem : `no error: ${String(error).slice(0, 40)}`;
};

describe.each(ENCODED)('%s', (_name, codec, encode) => {
  it.each([
    ['text that repeats itself', TEXT],
    ['noise', randomBytes(70_000)],
    ['one byte many times', Buffer.alloc(100_000, 0x61)],
    ['one byte', Buffer.from('a')],
  ])('expands %s', async (_what, bytes) => {
    expect((await decompress(codec, encode(bytes), LIMIT)).equals(bytes)).toBe(true);
  });

  it('stops at the limit', async () => {
    const bytes = Buffer.alloc(LIMIT / 8 + 1, 0x61);
    expect(await problemOf(codec, encode(bytes), LIMIT / 8)).toBe('too-large');
    expect((await decompress(codec, encode(bytes.subarray(1)), LIMIT / 8)).length).toBe(LIMIT / 8);
  });

  it('refuses what is cut short', async () => {
    const whole = encode(TEXT);
    expect(await problemOf(codec, whole.subarray(0, whole.length - 20))).toBe('corrupt');
    expect(await problemOf(codec, whole.subarray(0, 3))).toBe('corrupt');
  });

  it('ends, within the limit, whatever was done to the bytes', async () => {
    const whole = encode(TEXT);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const outcome = await decompress(codec, bytes, LIMIT).catch((thrown: unknown) => thrown);
        if (Buffer.isBuffer(outcome)) expect(outcome.length).toBeLessThanOrEqual(LIMIT);
        else expect(outcome).toBeInstanceOf(DecompressionError);
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes made to harm', () => {
  it.each([
    ['snappy that steps back by a negative literal', SNAPPY, [10, 0xfc, 0xfa, 0xff, 0xff, 0xff, 1, 2, 3, 4]],
    ['snappy that declares 4 GiB', SNAPPY, [0xff, 0xff, 0xff, 0xff, 0x0f, 0]],
    ['snappy that repeats what is not there', SNAPPY, [4, 0x01, 0x09]],
    ['snappy that repeats from nowhere', SNAPPY, [8, 0x00, 0x61, 0x09, 0x00]],
    ['snappy shorter than it declares', SNAPPY, [4, 0x00, 0x61]],
    ['a framed chunk longer than the record', SNAPPY, [...xerial(Buffer.alloc(0)), 0x7f, 0xff, 0xff, 0xff, 0]],
    ['an lz4 block of 2 GiB', LZ4, [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, 0xff, 0xff, 0xff, 0xff]],
    [
      'lz4 that repeats what is not there',
      LZ4,
      [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, 4, 0, 0, 0, 0x00, 5, 0, 0, 0, 0, 0, 0],
    ],
    [
      'lz4 that repeats from nowhere',
      LZ4,
      [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, 5, 0, 0, 0, 0x10, 0x61, 0, 0, 0x00, 0, 0, 0, 0],
    ],
    ['zstd with a window of 2 GiB', ZSTD, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0, 0]],
    ['zstd that wants a dictionary', ZSTD, [0x28, 0xb5, 0x2f, 0xfd, 0x21, 1, 0, 1, 0, 0, 0]],
    ['zstd with a reserved block', ZSTD, [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0]],
  ] as const)('refuses %s', async (_what, codec, bytes) => {
    expect(await problemOf(codec, Buffer.from(bytes))).toMatch(/^(corrupt|too-large)$/);
  });

  it('refuses many small zstd blocks that grow large', async () => {
    const bomb = zstd(...Array.from({ length: 9 }, () => ({ byte: 0x61, times: 128 * 1024 })));
    expect(bomb.length).toBeLessThan(100);
    expect(await problemOf(ZSTD, bomb)).toBe('too-large');
  });

  it('refuses them where the frame does not state its size', async () => {
    const bomb = zstdWithoutSize(...Array.from({ length: 9 }, () => ({ byte: 0x61, times: 128 * 1024 })));
    expect(bomb.length).toBeLessThan(100);
    expect(await problemOf(ZSTD, bomb)).toBe('too-large');
  });

  it('refuses lz4 blocks that are not compressed beyond the limit', async () => {
    const block = Buffer.concat([Buffer.from([0x00, 0x00, 0x01, 0x80]), Buffer.alloc(64 * 1024, 0x61)]);
    const frame = Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0]), block, block, Buffer.alloc(4)]);
    expect((await decompress(LZ4, frame, 128 * 1024)).length).toBe(128 * 1024);
    expect(await problemOf(LZ4, frame, 128 * 1024 - 1)).toBe('too-large');
  });
});

describe('zstd', () => {
  const frame = zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const EMPTY = zstdCompressSync(Buffer.alloc(0));
  const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  /** A frame that states its size and says that its window is as large. */
  const oneSegment = (bytes: Buffer): Buffer => {
    const encoded = zstdCompressSync(bytes, {
      pledgedSrcSize: bytes.length,
      params: { [constants.ZSTD_c_windowLog]: 24 },
    });
    expect(encoded[4]! & 0x20).toBe(0x20);
    return encoded;
  };
  /** A header without a size, then one raw block of one byte. */
  const windowOf = (log: number): Buffer => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3, 9, 0, 0, 0x61]);

  it.each([
    ['whose checksum is wrong', Buffer.concat([frame.subarray(0, -1), Buffer.from([frame.at(-1)! ^ 1])])],
    ['whose checksum is cut short', frame.subarray(0, -1)],
    ['that is followed by other bytes', Buffer.concat([frame, Buffer.from('garbage!')])],
    ['that is followed by one byte', Buffer.concat([frame, Buffer.alloc(1)])],
    ['that is followed by the beginning of another', Buffer.concat([frame, frame.subarray(0, 4)])],
    ['that is followed by a damaged one', Buffer.concat([frame, frame.subarray(0, -1), Buffer.alloc(1)])],
  ])('refuses a frame %s', async (_what, bytes) => {
    expect(await problemOf(ZSTD, bytes)).toBe('corrupt');
  });

  it('counts all frames of a batch towards the limit', async () => {
    const half = zstdCompressSync(Buffer.alloc(LIMIT / 2, 0x61));
    expect((await decompress(ZSTD, Buffer.concat([half, half]), LIMIT)).length).toBe(LIMIT);
    expect(await problemOf(ZSTD, Buffer.concat([half, half, zstdCompressSync(Buffer.from('a'))]))).toBe('too-large');
    expect((await decompress(ZSTD, Buffer.concat([half, half, EMPTY]), LIMIT)).length).toBe(LIMIT);
  });

  it('steps over what a frame says to skip', async () => {
    expect((await decompress(ZSTD, Buffer.concat([SKIPPABLE, frame, SKIPPABLE]), LIMIT)).equals(TEXT)).toBe(true);
  });

  it('refuses more frames than any producer writes', async () => {
    const frames = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => EMPTY));
    expect((await decompress(ZSTD, frames(100), LIMIT)).length).toBe(0);
    expect(await problemOf(ZSTD, frames(101))).toBe('too-large');
    expect(await problemOf(ZSTD, frames(100_000))).toBe('too-large');
  });

  it('takes a window of 8 MiB, and a larger one up to what a batch may expand to', async () => {
    expect((await decompress(ZSTD, windowOf(23), LIMIT)).toString()).toBe('a');
    expect(await problemOf(ZSTD, windowOf(24))).toBe('too-large');
    expect((await decompress(ZSTD, windowOf(25))).toString()).toBe('a');
    expect(await problemOf(ZSTD, windowOf(26), MAX_EXPANDED_BYTES)).toBe('too-large');
    const bytes = Buffer.alloc(10 * 1024 * 1024, 0x61);
    expect((await decompress(ZSTD, oneSegment(bytes))).equals(bytes)).toBe(true);
  });

  it('refuses a gigabyte in a few kilobytes, before its bytes are there', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(10_000);
    expect(await problemOf(ZSTD, bomb)).toBe('too-large');
    expect(await problemOf(ZSTD, Buffer.concat(Array.from({ length: 16 }, () => bomb)), MAX_EXPANDED_BYTES)).toBe(
      'too-large',
    );
  });
});
