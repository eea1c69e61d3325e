import { Buffer } from 'node:buffer';
import { sha256 } from './sha256.js';

const MAGIC = 'rescind-entry/v1';
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const COMMITMENT_BYTES = 32;
/** Prefix of a leaf (RFC 6962, section 2.1). It keeps a leaf from passing for an inner node. */
const LEAF_PREFIX = Buffer.from([0]);

/** One leaf of the tree. Nothing in it names a person, so erasing a payload does not change it. */
export interface Entry {
  /** Position in the tenant's ledger, dense, from 0. */
  readonly index: bigint;
  /** Milliseconds since the epoch. */
  readonly arrivalMs: bigint;
  /** The full CloudEvents type. */
  readonly type: string;
  /** UUID of the registered source, lower case. */
  readonly source: string;
  /** 32 bytes, see `commitment`. */
  readonly commitment: Uint8Array;
}

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;
const TYPE = /^[!-~]+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Encodes `rescind-entry/v1\n<index>\n<arrival ms>\n<type>\n<source uuid>\n<C>\n`, ASCII. The format is frozen: stored roots depend on it. */
export function encodeEntry(entry: Entry): Buffer {
  if (!isUint64(entry.index) || !isUint64(entry.arrivalMs))
    throw new TypeError('index and arrival are unsigned 64-bit integers');
  if (!TYPE.test(entry.type)) throw new TypeError('a type is printable ASCII without spaces');
  if (!UUID.test(entry.source)) throw new TypeError('a source is a UUID in lower case');
  if (entry.commitment.length !== COMMITMENT_BYTES) throw new TypeError(`a commitment has ${COMMITMENT_BYTES} bytes`);
  const c = Buffer.from(entry.commitment).toString('base64');
  return Buffer.from(`${MAGIC}\n${entry.index}\n${entry.arrivalMs}\n${entry.type}\n${entry.source}\n${c}\n`, 'ascii');
}

/** Decodes an entry strictly. Returns undefined for bytes that `encodeEntry` would not have written. */
export function parseEntry(bytes: Uint8Array): Entry | undefined {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = raw.toString('latin1').split('\n');
  if (lines.length !== 7 || lines[0] !== MAGIC || lines[6] !== '') return undefined;
  const [, index = '', arrivalMs = '', type = '', source = '', c = ''] = lines;
  if (!DECIMAL.test(index) || !DECIMAL.test(arrivalMs)) return undefined;
  const entry: Entry = {
    index: BigInt(index),
    arrivalMs: BigInt(arrivalMs),
    type,
    source,
    commitment: Buffer.from(c, 'base64'),
  };
  try {
    return encodeEntry(entry).equals(raw) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Computes SHA-256(0x00 ‖ entry) (RFC 6962, section 2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, entry]));
}

const isUint64 = (value: bigint) => value >= 0n && value <= MAX_UINT64;
