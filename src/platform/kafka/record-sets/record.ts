/** One record, with kafkajs's member names. */
export interface ReadRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | null | (Buffer | null)[]>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

/**
 * Batch header in kafkajs's words, by which kafkajs recognises aborted transactions. `maxTimestamp` holds for all records if the broker
 * stamps them.
 */
export interface BatchContext {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly maxTimestamp: string;
  readonly partitionLeaderEpoch: number;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
  readonly timestampType: 0 | 1;
  readonly magicByte: number;
}

/** Reports bytes that are not records. The message is for the log. */
export class NoRecords extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoRecords';
  }
}

/**
 * Reads the `count` records of a batch (Kafka's message format 2), which must fill `bytes` exactly. Checks every length against the bytes
 * that are there. kafkajs trusts the lengths, so a record that claims 2^30 headers would block the process.
 */
export function readRecords(bytes: Buffer, count: number, context: BatchContext): ReadRecord[] {
  if (count < 0) throw new NoRecords('a batch claims fewer than no records');
  const base = { offset: BigInt(context.firstOffset), timestamp: BigInt(context.firstTimestamp) };
  const reader = new Reader(bytes);
  const records: ReadRecord[] = [];
  for (let i = 0; i < count; i += 1) records.push(readRecord(reader, base, context));
  if (reader.at !== bytes.length) throw new NoRecords('bytes follow the last record');
  return records;
}

function readRecord(reader: Reader, base: { offset: bigint; timestamp: bigint }, context: BatchContext): ReadRecord {
  const length = reader.varInt();
  const end = reader.at + length;
  if (length < 0 || end > reader.size) throw new NoRecords('a record is longer than its batch');
  const attributes = reader.byte();
  const timestampDelta = reader.varLong();
  const offsetDelta = reader.varInt();
  const key = reader.nullable();
  const value = reader.nullable();
  const headers = readHeaders(reader, end);
  if (reader.at !== end || offsetDelta < 0) throw new NoRecords('a record does not fill its length');
  return {
    magicByte: context.magicByte,
    attributes,
    timestamp: context.timestampType === 1 ? context.maxTimestamp : String(base.timestamp + timestampDelta),
    offset: String(base.offset + BigInt(offsetDelta)),
    key,
    value,
    headers,
    isControlRecord: context.isControlBatch,
    batchContext: context,
  };
}

/** Reads headers. A name that occurs once gets its value; a name that occurs again gets an array of values. */
function readHeaders(reader: Reader, end: number): ReadRecord['headers'] {
  const count = reader.varInt();
  if (count === 0) return {};
  // A header takes at least its two lengths.
  if (count < 0 || count * 2 > end - reader.at) throw new NoRecords('a record claims more headers than it has bytes');
  const headers = new Map<string, Buffer | null | (Buffer | null)[]>();
  for (let i = 0; i < count; i += 1) {
    const name = reader.nullable()?.toString('utf8');
    if (name === undefined) throw new NoRecords('a header has no name');
    const value = reader.nullable();
    const known = headers.get(name);
    if (known === undefined) headers.set(name, value);
    else if (Array.isArray(known)) known.push(value);
    else headers.set(name, [known, value]);
  }
  return Object.fromEntries(headers);
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  byte(): number {
    if (this.at >= this.#bytes.length) throw new NoRecords('a record is cut short');
    return this.#bytes[this.at++]!;
  }

  /** Reads a zigzag integer of 32 bits. */
  varInt(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new NoRecords('a number is longer than 32 bits');
  }

  /** Reads a zigzag integer of 64 bits. */
  varLong(): bigint {
    let value = 0n;
    let small = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      if (shift < 28) small |= (byte & 0x7f) << shift;
      else value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) {
        const whole = value | BigInt(small);
        return BigInt.asIntN(64, (whole >> 1n) ^ -(whole & 1n));
      }
    }
    throw new NoRecords('a number is longer than 64 bits');
  }

  /** Reads a length and its bytes; null for the length -1. */
  nullable(): Buffer | null {
    const length = this.varInt();
    if (length === -1) return null;
    if (length < 0 || length > this.#bytes.length - this.at) throw new NoRecords('a field is longer than its record');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}
