import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { crc32c } from './crc32c.js';
import { installCodecs } from './codecs.kafka.js';
import { readRecordSet } from './record-set.js';

interface Encoder {
  readonly buffer: Buffer;
}
interface Given {
  key?: Buffer | null;
  value: Buffer | null;
  headers?: Record<string, string | string[]>;
}

// kafkajs's own writer makes the batches.
const require = createRequire(import.meta.url);
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch(batch: object): Promise<Encoder>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => Encoder;

const PLACE = { topic: 'rescind.events.idp', partition: 3 };
const FIRST_TIMESTAMP = 1_790_000_000_000;
installCodecs();

async function batch(
  firstOffset: number,
  records: readonly Given[],
  options: { compression?: 0 | 1; transactional?: boolean } = {},
): Promise<Buffer> {
  const encoded = await encodeBatch({
    compression: options.compression ?? 0,
    firstOffset,
    firstTimestamp: FIRST_TIMESTAMP,
    maxTimestamp: FIRST_TIMESTAMP + 10_000,
    lastOffsetDelta: records.length - 1,
    transactional: options.transactional ?? false,
    records: records.map((record, i) =>
      encodeRecord({ offsetDelta: i, timestampDelta: i * 1000, key: null, headers: {}, ...record }),
    ),
  });
  return encoded.buffer;
}

const A = { value: Buffer.from('a') };
const B = { value: Buffer.from('b') };

/** Sets the batch's checksum to that of its current bytes. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

describe('readRecordSet', () => {
  it('reads what kafkajs wrote, with keys, times, tombstones and repeated headers', async () => {
    const given: Given[] = [
      {
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { ce_id: 'one', ce_source: ['x', 'y', 'z'], __proto__x: '1' },
      },
      { value: null },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} },
    ];
    const { records, unreadable } = await readRecordSet(
      Buffer.concat([await batch(40, given), await batch(43, [A], { compression: 1, transactional: true })]),
      PLACE,
    );
    expect(unreadable).toBeUndefined();
    expect(records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))).toEqual([
      { offset: '40', timestamp: '1790000000000', key: Buffer.from('k'), value: Buffer.from('v') },
      { offset: '41', timestamp: '1790000001000', key: null, value: null },
      { offset: '42', timestamp: '1790000002000', key: Buffer.alloc(0), value: Buffer.alloc(0) },
      { offset: '43', timestamp: '1790000000000', key: null, value: Buffer.from('a') },
    ]);
    expect(records[0]!.headers).toEqual({
      ce_id: Buffer.from('one'),
      ce_source: ['x', 'y', 'z'].map((text) => Buffer.from(text)),
      __proto__x: Buffer.from('1'),
    });
    expect(records.map(({ batchContext }) => batchContext.inTransaction)).toEqual([false, false, false, true]);
  });

  it('leaves a last batch that the fetch cut off to the next one', async () => {
    const [first, second] = [await batch(0, [A]), await batch(1, [B])];
    for (const kept of [1, 30, second.length - 1]) {
      const { records, unreadable } = await readRecordSet(Buffer.concat([first, second.subarray(0, kept)]), PLACE);
      expect(records.map(({ offset }) => offset)).toEqual(['0']);
      expect(unreadable).toBeUndefined();
    }
  });

  it('names a damaged batch, keeps what came before it, and says where to go on', async () => {
    const damaged = await batch(1, [B, B]);
    damaged[damaged.length - 2]! ^= 1;
    const { records, unreadable } = await readRecordSet(
      Buffer.concat([await batch(0, [A]), damaged, await batch(3, [A])]),
      PLACE,
    );
    expect(records.map(({ offset }) => offset)).toEqual(['0']);
    expect(unreadable).toMatchObject({
      code: 'record-set-unreadable',
      ...PLACE,
      problem: 'checksum',
      firstOffset: 1n,
      nextOffset: 3n,
    });
    expect(unreadable!.message).toContain('rescind.events.idp/3');
  });

  it('says nothing about where to go on when nothing sound follows', async () => {
    const damaged = await batch(1, [B]);
    damaged[damaged.length - 2]! ^= 1;
    expect((await readRecordSet(damaged, PLACE)).unreadable).toMatchObject({
      problem: 'checksum',
      nextOffset: undefined,
    });
    expect((await readRecordSet((await batch(5, [A])).subarray(0, 40), PLACE)).unreadable).toMatchObject({
      problem: 'truncated',
      nextOffset: undefined,
    });
  });

  it.each([
    [
      'a bomb',
      1,
      async () => sealed(await batch(7, [{ value: Buffer.alloc(40 * 1024 * 1024) }], { compression: 1 })),
      'too-large',
      8n,
    ],
    [
      'more records than events can be',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt32BE(100_001, 57);
        return sealed(bytes);
      },
      'too-large',
      8n,
    ],
    [
      'an unknown codec',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt16BE(5, 21);
        return sealed(bytes);
      },
      'unsupported',
      undefined,
    ],
    [
      'more records than the batch counts',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A, B]);
        bytes.writeInt32BE(1, 57);
        return sealed(bytes);
      },
      'undecodable',
      9n,
    ],
    [
      'another format',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes[16] = 1;
        return bytes;
      },
      'unsupported',
      undefined,
    ],
    [
      'plain bytes said to be snappy',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt16BE(2, 21);
        return sealed(bytes);
      },
      'undecodable',
      8n,
    ],
    [
      'two billion records',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt32BE(2 ** 31 - 1, 57);
        return sealed(bytes);
      },
      'too-large',
      8n,
    ],
    [
      'a hundred thousand records that are not there',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt32BE(100_000, 57);
        return sealed(bytes);
      },
      'undecodable',
      8n,
    ],
    [
      'fewer than no records',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [A]);
        bytes.writeInt32BE(-2, 57);
        return sealed(bytes);
      },
      'undecodable',
      8n,
    ],
    [
      'a record of a billion headers',
      0,
      async (): Promise<Buffer> => {
        const bytes = await batch(7, [{ value: Buffer.alloc(10) }]);
        // The value keeps six of its ten bytes. The other four, and the header count of zero, become a header count of 2^30.
        bytes[bytes.length - 12] = 6 << 1;
        Buffer.from([0x80, 0x80, 0x80, 0x80, 0x08]).copy(bytes, bytes.length - 5);
        return sealed(bytes);
      },
      'undecodable',
      8n,
    ],
  ] as const)('refuses %s', async (_what, _codec, make, problem, nextOffset) => {
    const { records, unreadable } = await readRecordSet(await make(), PLACE);
    expect(records).toEqual([]);
    expect(unreadable).toMatchObject({ problem, firstOffset: 7n, nextOffset });
    if (_what === 'a record of a billion headers')
      expect(unreadable!.cause).toMatchObject({ message: expect.stringContaining('headers') });
  });

  it('does not go backwards to a sound batch that follows a damaged one', async () => {
    const damaged = await batch(5, [B]);
    damaged[damaged.length - 2]! ^= 1;
    for (const following of [5, 3]) {
      const { unreadable } = await readRecordSet(Buffer.concat([damaged, await batch(following, [A])]), PLACE);
      expect(unreadable).toMatchObject({ problem: 'checksum', firstOffset: 5n, nextOffset: undefined });
    }
  });

  it.each([-2_147_483_648, -1, 0, 48, 2_147_483_647])(
    'takes a batch that says it is %d bytes long for one that is cut off',
    async (length) => {
      const first = await batch(4, [A]);
      first.writeInt32BE(length, 8);
      expect(await readRecordSet(first, PLACE)).toMatchObject({
        records: [],
        unreadable: { problem: 'truncated', firstOffset: 4n },
      });
      const { records, unreadable } = await readRecordSet(Buffer.concat([await batch(3, [A]), first]), PLACE);
      expect([records.map(({ offset }) => offset), unreadable]).toEqual([['3'], undefined]);
    },
  );

  it('passes over a batch that compaction has emptied', async () => {
    const emptied = sealed(Buffer.concat([(await batch(0, [A])).subarray(0, 61)]));
    emptied.writeInt32BE(61 - 12, 8);
    emptied.writeInt32BE(0, 57);
    emptied.writeInt16BE(2, 21);
    const { records, unreadable } = await readRecordSet(Buffer.concat([sealed(emptied), await batch(1, [B])]), PLACE);
    expect([records.map(({ offset }) => offset), unreadable]).toEqual([['1'], undefined]);
  });

  it('never rejects and never gives other records, whatever was done to the bytes', async () => {
    const first = await batch(0, [A, { ...B, headers: { ce_id: 'x' } }]);
    const whole = Buffer.concat([first, await batch(2, [A], { compression: 1 })]);
    const sound = (await readRecordSet(whole, PLACE)).records.map(({ value }) => String(value));
    // Kafka's checksum does not cover a batch's first offset, and nobody can tell a damaged one from a sound one. Nor does it cover the length
    // and the epoch, but damage there ends the reading or does not affect the records.
    const offsets = (at: number): boolean => at < 8 || (at >= first.length && at < first.length + 8);
    const damage = fc.oneof(
      { weight: 4, arbitrary: fc.nat(whole.length - 1).filter((at) => !offsets(at)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(0, first.length).chain((start) => fc.integer({ min: start + 8, max: start + 11 })),
      },
    );
    let lengths = 0;
    await fc.assert(
      fc.asyncProperty(damage, fc.integer({ min: 1, max: 255 }), async (at, bits) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= bits;
        const { records, unreadable } = await readRecordSet(bytes, PLACE);
        const values = records.map(({ value }) => String(value));
        expect(values).toEqual(sound.slice(0, values.length));
        if (unreadable !== undefined) expect(unreadable.firstOffset).toBeGreaterThanOrEqual(0n);
        if ((at >= first.length ? at - first.length : at) < 12) lengths += 1;
      }),
      { numRuns: 500 },
    );
    expect(lengths).toBeGreaterThan(50);
  });
});

describe('crc32c', () => {
  it.each([
    // RFC 3720 appendix B.4.
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(0), 0],
  ])('of %#', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});
