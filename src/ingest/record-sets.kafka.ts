import { createRequire } from 'node:module';
import { crc32c } from './crc32c.js';

/** A record set that cannot be read: nothing of its partition behind it can be told from rubbish. */
export interface Unreadable {
  readonly topic: string;
  readonly partition: number;
  /** Of the batch; undefined where the broker itself says that it cannot read the partition. */
  readonly offset: bigint | undefined;
  readonly problem: string;
}

type Listener = (unreadable: Unreadable) => void;

interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(size: number): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
}

type Records = readonly unknown[];

interface FetchResponse {
  decode(raw: unknown): Promise<unknown>;
}

/** Record batch, format 2: offset, length, then length bytes: leader epoch, magic, CRC-32C of the rest. */
const LENGTH_AT = 8;
const HEADER_BYTES = 12;
const MAGIC_AT = 16;
const MAGIC = 2;
const CRC_AT = 17;
const CHECKED_FROM = 21;

const NONE = 0;
/** The broker's own finding, which kafkajs would take for a failure of the whole fetch. */
const CORRUPT_MESSAGE = 2;

const listeners = new Set<Listener>();

/**
 * kafkajs 2.2.4 checks no CRC, and one record set that it cannot decode fails the whole fetch, again at each restart: no
 * partition of that broker is read any more. Here each batch is checked (the CRC first) and decoded by itself. What
 * precedes an unreadable one is delivered; once it is the first of a fetch, the listeners are told and the partition
 * gets nothing. Fetch responses of version 11, Kafka 2.3 and newer; older message formats are left to kafkajs.
 *
 * Returns what ends the listening. Called before a consumer is made.
 */
export function checkRecordSets(listener: Listener): () => void {
  listeners.add(listener);
  const require = createRequire(import.meta.url);
  const response = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as FetchResponse;
  if (!patched.has(response.decode)) {
    const { decode } = createResponseDecoder(require);
    patched.add(decode);
    response.decode = decode;
  }
  return () => void listeners.delete(listener);
}

const patched = new WeakSet<object>();

function createResponseDecoder(require: NodeJS.Require): FetchResponse {
  const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder;
  const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (decoder: Decoder) => Promise<{ records: Records }>;
  const decodeOlder = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js') as (decoder: Decoder) => Promise<Records>;

  async function readRecords(set: Buffer, topic: string, partition: number): Promise<Records> {
    if (set.length > MAGIC_AT && set.readInt8(MAGIC_AT) !== MAGIC) return decodeOlder(new Decoder(withSize(set)));
    const records: unknown[] = [];
    for (let at = 0; at + HEADER_BYTES <= set.length; ) {
      const offset = set.readBigInt64BE(at);
      const end = at + HEADER_BYTES + set.readInt32BE(at + LENGTH_AT);
      // The broker cuts the last batch where the fetch is full.
      if (end > set.length && at > 0) break;
      const read = await readBatch(set, at, end);
      if ('problem' in read) {
        if (at === 0) for (const listener of listeners) listener({ topic, partition, offset, problem: read.problem });
        break;
      }
      for (const record of read.records) records.push(record);
      at = end;
    }
    return records;
  }

  async function readBatch(set: Buffer, at: number, end: number): Promise<{ records: Records } | { problem: string }> {
    if (end < at + CHECKED_FROM || end > set.length) return { problem: 'has an impossible length' };
    const batch = set.subarray(at, end);
    if (batch.readInt8(MAGIC_AT) !== MAGIC) return { problem: 'has an unknown format' };
    if (crc32c(batch.subarray(CHECKED_FROM)) !== batch.readUInt32BE(CRC_AT)) return { problem: 'fails its CRC' };
    try {
      return await decodeBatch(new Decoder(batch));
    } catch (error) {
      return { problem: `cannot be decoded: ${error instanceof Error ? error.message : 'for an unknown reason'}` };
    }
  }

  const readPartition = (topic: string) => async (decoder: Decoder) => {
    const partition = decoder.readInt32();
    const said = decoder.readInt16();
    if (said === CORRUPT_MESSAGE) for (const listener of listeners) listener({ topic, partition, offset: undefined, problem: 'is called corrupt by the broker' });
    return {
      partition,
      errorCode: said === CORRUPT_MESSAGE ? NONE : said,
      highWatermark: decoder.readInt64().toString(),
      lastStableOffset: decoder.readInt64().toString(),
      lastStartOffset: decoder.readInt64().toString(),
      abortedTransactions: decoder.readArray((aborted) => ({ producerId: aborted.readInt64().toString(), firstOffset: aborted.readInt64().toString() })),
      preferredReadReplica: decoder.readInt32(),
      messages: await readRecords(decoder.readBytes(Math.max(0, decoder.readInt32())), topic, partition),
    };
  };

  return {
    async decode(raw) {
      const decoder = new Decoder(raw as Buffer);
      const clientSideThrottleTime = decoder.readInt32();
      const errorCode = decoder.readInt16();
      const sessionId = decoder.readInt32();
      const responses = await decoder.readArrayAsync(async (one) => {
        const topicName = one.readString();
        return { topicName, partitions: await one.readArrayAsync(readPartition(topicName)) };
      });
      return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
    },
  };
}

function withSize(set: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(set.length);
  return Buffer.concat([size, set]);
}
