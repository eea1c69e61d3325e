import type { KafkaMessage } from 'kafkajs';
import { kafkajsInternal } from '../internals/internals.kafka.js';
import { readRecordSet } from './record-set.js';
import { UnreadableRecordSet } from './unreadable-record-set.js';
import type { ReadRecord } from './record.js';

/** Version of brokers since Apache Kafka 2.3, and the newest that kafkajs 2.2.4 speaks. kafkajs alone reads older responses. */
const FETCH_VERSION = 11;
/** A broker that finds its own log damaged reports this for the partition at each fetch. kafkajs would fail the fetch of all partitions. */
const CORRUPT_MESSAGE = 2;
const UNREADABLE = Symbol('rescind.unreadable');

interface FetchTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
}
interface Exchange {
  readonly response: { decode(bytes: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}
type MakeExchange = (options: { readonly topics: readonly FetchTopic[] }) => Exchange;
interface FetchProtocol {
  protocol(options: { version: number }): MakeExchange;
}
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
}

const KafkaDecoder = kafkajsInternal<new (bytes: Buffer) => Decoder>('protocol/decoder.js');
const installed = new WeakSet<FetchProtocol>();

/**
 * Makes every kafkajs consumer of this process read record sets through `readRecordSet`: checksums compared, expansion bounded, all four
 * codecs. When one record cannot be decoded, kafkajs fails the fetch of all partitions and does not name the record. Here the batch of
 * that partition ends in one message that stands for the unreadable set ({@link unreadableOf}), and the other partitions go on.
 */
export function installRecordSets(): void {
  const fetch = kafkajsInternal<FetchProtocol>('protocol/requests/fetch/index.js');
  if (installed.has(fetch)) return;
  installed.add(fetch);
  const original = fetch.protocol;
  fetch.protocol = (options) => {
    const make = original(options);
    if (options.version !== FETCH_VERSION) return make;
    return (request) => {
      const exchange = make(request);
      return {
        ...exchange,
        response: { decode: (bytes) => decodeFetch(bytes, request.topics), parse: exchange.response.parse },
      };
    };
  };
}

/**
 * Returns the error that makes records unreadable from this message's offset on; undefined for an ordinary message. Such a message is the
 * last of its batch. To go on, a consumer seeks to the error's `nextOffset`. If a consumer does not check, reading the message's `value`
 * throws the error.
 */
export function unreadableOf(message: KafkaMessage): UnreadableRecordSet | undefined {
  return (message as KafkaMessage & { readonly [UNREADABLE]?: UnreadableRecordSet })[UNREADABLE];
}

/** Decodes a fetch response of version 11 (KIP-392). */
async function decodeFetch(bytes: Buffer, asked: readonly FetchTopic[]): Promise<unknown> {
  const decoder = new KafkaDecoder(bytes);
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const topics = decoder.readArray((reader) => ({
    topicName: reader.readString(),
    partitions: reader.readArray(readPartition),
  }));
  const responses = [];
  for (const { topicName, partitions } of topics) {
    const read = [];
    for (const { recordSet, ...partition } of partitions) {
      const fetchOffset = fetchOffsetOf(asked, topicName, partition.partition);
      const place = { topic: topicName, partition: partition.partition };
      if (partition.errorCode === CORRUPT_MESSAGE) {
        const unreadable = new UnreadableRecordSet(place, { problem: 'broker', firstOffset: fetchOffset });
        read.push({ ...partition, errorCode: 0, messages: [standIn(unreadable, String(fetchOffset))] });
      } else read.push({ ...partition, messages: await messagesOf(recordSet, place, fetchOffset) });
    }
    responses.push({ topicName, partitions: read });
  }
  // As kafkajs does: the broker leaves throttling to the client (KIP-219).
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

function readPartition(decoder: Decoder) {
  return {
    partition: decoder.readInt32(),
    errorCode: decoder.readInt16(),
    highWatermark: String(decoder.readInt64()),
    lastStableOffset: String(decoder.readInt64()),
    lastStartOffset: String(decoder.readInt64()),
    abortedTransactions: decoder.readArray((reader) => ({
      producerId: String(reader.readInt64()),
      firstOffset: String(reader.readInt64()),
    })),
    preferredReadReplica: decoder.readInt32(),
    recordSet: decoder.readBytes(),
  };
}

const fetchOffsetOf = (asked: readonly FetchTopic[], topic: string, partition: number): bigint => {
  const offsets = asked.filter((one) => one.topic === topic).flatMap(({ partitions }) => partitions);
  return BigInt(offsets.find((one) => one.partition === partition)?.fetchOffset ?? 0);
};

async function messagesOf(
  recordSet: Buffer | null,
  place: { topic: string; partition: number },
  fetchOffset: bigint,
): Promise<readonly ReadRecord[]> {
  if (recordSet === null || recordSet.length === 0) return [];
  const { records, unreadable } = await readRecordSet(recordSet, place);
  if (unreadable === undefined) return records;
  const following = BigInt(records.at(-1)?.offset ?? -1) + 1n;
  // Never before the requested offset: kafkajs would drop the message as older and skip the records that it stands for.
  return [...records, standIn(unreadable, String(following > fetchOffset ? following : fetchOffset))];
}

function standIn(unreadable: UnreadableRecordSet, offset: string): ReadRecord {
  const batchContext = {
    firstOffset: offset,
    firstTimestamp: '0',
    maxTimestamp: '0',
    partitionLeaderEpoch: -1,
    lastOffsetDelta: 0,
    producerId: '-1',
    producerEpoch: -1,
    firstSequence: -1,
    inTransaction: false,
    isControlBatch: false,
    timestampType: 0,
    magicByte: 2,
  } as const;
  const record = {
    magicByte: 2,
    attributes: 0,
    timestamp: '0',
    offset,
    key: null,
    headers: {},
    isControlRecord: false,
    batchContext,
  };
  return Object.defineProperties(record as unknown as ReadRecord, {
    [UNREADABLE]: { value: unreadable },
    value: {
      get(): never {
        throw unreadable;
      },
    },
  });
}
