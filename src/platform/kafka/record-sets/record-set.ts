import { crc32c } from './crc32c.js';
import { CODEC_NAMES, decompress, type CodecId } from './decompress.js';
import { DecompressionError } from './decompression-error.js';
import { readRecords, type BatchContext, type ReadRecord } from './record.js';
import { UnreadableRecordSet, type RecordSetPlace, type RecordSetProblem } from './unreadable-record-set.js';

/** The format since Kafka 0.11. Brokers of version 4 know no other. */
const MAGIC = 2;
const LENGTH_AT = 8;
const EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const FIRST_SEQUENCE_AT = 53;
const COUNT_AT = 57;
const RECORDS_AT = 61;
const CODEC_MASK = 0x07;
const TIMESTAMP_TYPE_FLAG = 0x08;
const TRANSACTIONAL_FLAG = 0x10;
const CONTROL_FLAG = 0x20;

export interface ReadRecordSet {
  readonly records: readonly ReadRecord[];
  /** The set that ended the reading early. The records before it are whole. */
  readonly unreadable: UnreadableRecordSet | undefined;
}

/**
 * Reads the record batches of one partition as a broker sent them. Compares each batch's checksum, which kafkajs does not do. Never
 * rejects: reading ends before the first batch that cannot be read. If the fetch's size limit cut off the last batch, that batch is left
 * for the next fetch; the first batch is always whole (KIP-74).
 */
export async function readRecordSet(bytes: Buffer, place: RecordSetPlace): Promise<ReadRecordSet> {
  const records: ReadRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = endOfBatch(bytes, at);
    if (end === undefined) {
      if (at > 0) break;
      const firstOffset = bytes.length < LENGTH_AT ? 0n : bytes.readBigInt64BE(0);
      return { records, unreadable: new UnreadableRecordSet(place, { problem: 'truncated', firstOffset }) };
    }
    const batch = bytes.subarray(at, end);
    const read = await readBatch(batch);
    if ('problem' in read) {
      const what = {
        ...read,
        firstOffset: batch.readBigInt64BE(0),
        nextOffset: nextOffset(bytes, at, end, read.problem),
      };
      return { records, unreadable: new UnreadableRecordSet(place, what) };
    }
    for (const record of read.records) records.push(record);
    at = end;
  }
  return { records, unreadable: undefined };
}

function endOfBatch(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < RECORDS_AT) return undefined;
  const length = bytes.readInt32BE(at + LENGTH_AT);
  const end = at + EPOCH_AT + length;
  return length >= RECORDS_AT - EPOCH_AT && end <= bytes.length ? end : undefined;
}

const checksumHolds = (batch: Buffer): boolean => batch.readUInt32BE(CRC_AT) === crc32c(batch.subarray(ATTRIBUTES_AT));

/**
 * Records that one batch may hold. A batch of 32 MiB cannot hold so many events, because an event's envelope alone takes 200 bytes. But
 * 1 MiB can compress a batch of more than a million empty records, each of which takes memory and time.
 */
export const MAX_RECORDS_A_BATCH = 100_000;

async function readBatch(
  batch: Buffer,
): Promise<{ records: ReadRecord[] } | { problem: RecordSetProblem; cause?: unknown }> {
  if (batch[MAGIC_AT] !== MAGIC) return { problem: 'unsupported' };
  if (!checksumHolds(batch)) return { problem: 'checksum' };
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  const codec = attributes & CODEC_MASK;
  if (codec !== 0 && !isCodec(codec)) return { problem: 'unsupported' };
  const count = batch.readInt32BE(COUNT_AT);
  if (count > MAX_RECORDS_A_BATCH) return { problem: 'too-large' };
  if (count === 0) return { records: [] }; // Compaction keeps the header of a batch that it has emptied.
  const compressed = batch.subarray(RECORDS_AT);
  try {
    const bytes = codec === 0 ? compressed : await decompress(codec, compressed);
    return { records: readRecords(bytes, count, contextOf(batch, attributes)) };
  } catch (cause) {
    return {
      problem: cause instanceof DecompressionError && cause.problem === 'too-large' ? 'too-large' : 'undecodable',
      cause,
    };
  }
}

const isCodec = (codec: number): codec is CodecId => codec in CODEC_NAMES;

function contextOf(batch: Buffer, attributes: number): BatchContext {
  return {
    firstOffset: String(batch.readBigInt64BE(0)),
    firstTimestamp: String(batch.readBigInt64BE(FIRST_TIMESTAMP_AT)),
    maxTimestamp: String(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
    partitionLeaderEpoch: batch.readInt32BE(EPOCH_AT),
    lastOffsetDelta: batch.readInt32BE(LAST_OFFSET_DELTA_AT),
    producerId: String(batch.readBigInt64BE(PRODUCER_ID_AT)),
    producerEpoch: batch.readInt16BE(PRODUCER_EPOCH_AT),
    firstSequence: batch.readInt32BE(FIRST_SEQUENCE_AT),
    inTransaction: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControlBatch: (attributes & CONTROL_FLAG) !== 0,
    timestampType: (attributes & TIMESTAMP_TYPE_FLAG) !== 0 ? 1 : 0,
    magicByte: MAGIC,
  };
}

/** Finds the next offset. A batch whose checksum holds states it; for any other batch, only a sound batch behind it is believed. */
function nextOffset(bytes: Buffer, at: number, end: number, problem: RecordSetProblem): bigint | undefined {
  const own = bytes.readBigInt64BE(at);
  if (problem === 'too-large' || problem === 'undecodable')
    return own + BigInt(bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT)) + 1n;
  const behind = endOfBatch(bytes, end);
  if (behind === undefined || bytes[end + MAGIC_AT] !== MAGIC || !checksumHolds(bytes.subarray(end, behind)))
    return undefined;
  const following = bytes.readBigInt64BE(end);
  return following > own ? following : undefined;
}
