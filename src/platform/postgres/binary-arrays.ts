/**
 * Encodes array parameters in PostgreSQL's binary format (`array_recv`). node-postgres sends a Buffer unchanged, and the server reads it as
 * the type that the statement names, `$1::int8[]`. The text format would escape each element here and parse it there.
 */
type Element<T> = { readonly oid: number; size(value: T): number; write(bytes: Buffer, value: T, at: number): void };

const ARRAY_HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const UUID_BYTES = 16;
const JSONB_VERSION = 1;

function encode<T>(element: Element<T>, values: readonly (T | null | undefined)[]): Buffer {
  let size = ARRAY_HEADER_BYTES;
  let hasNull = 0;
  for (const value of values) {
    if (value === null || value === undefined) hasNull = 1;
    size += LENGTH_BYTES + (value === null || value === undefined ? 0 : element.size(value));
  }
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(hasNull, 4);
  bytes.writeInt32BE(element.oid, 8);
  bytes.writeInt32BE(values.length, 12);
  bytes.writeInt32BE(1, 16);
  let at = ARRAY_HEADER_BYTES;
  for (const value of values) {
    if (value === null || value === undefined) {
      at = bytes.writeInt32BE(NULL_LENGTH, at);
      continue;
    }
    const length = element.size(value);
    at = bytes.writeInt32BE(length, at);
    element.write(bytes, value, at);
    at += length;
  }
  return bytes;
}

type Values<T> = readonly (T | null | undefined)[];

/** Reports a value out of range under the SQLSTATE that the server gives for such a value as text, so that both are handled alike. */
class OutOfRange extends Error {
  override readonly name = 'OutOfRange';
  readonly code = '22003';
}

export function within(value: number, bits: 16 | 32): number {
  if (!Number.isInteger(value) || value < -(2 ** (bits - 1)) || value >= 2 ** (bits - 1))
    throw new OutOfRange(`no integer of ${bits} bits`);
  return value;
}

const INT2: Element<number> = {
  oid: 21,
  size: () => 2,
  write: (bytes, value, at) => bytes.writeInt16BE(within(value, 16), at),
};
const INT4: Element<number> = {
  oid: 23,
  size: () => 4,
  write: (bytes, value, at) => bytes.writeInt32BE(within(value, 32), at),
};
const INT8: Element<bigint | number> = {
  oid: 20,
  size: () => 8,
  write(bytes, value, at) {
    if (typeof value === 'bigint') bytes.writeBigInt64BE(value, at);
    else writeSafeInteger(bytes, value, at);
  },
};
const UUID: Element<string> = {
  oid: 2950,
  size: () => UUID_BYTES,
  write: (bytes, value, at) => uuidBytes(value).copy(bytes, at),
};
const BYTEA: Element<Uint8Array> = {
  oid: 17,
  size: (value) => value.length,
  write: (bytes, value, at) => bytes.set(value, at),
};
const TEXT: Element<string> = {
  oid: 25,
  size: (value) => Buffer.byteLength(value),
  write: (bytes, value, at) => bytes.write(value, at, 'utf8'),
};
const JSONB: Element<string> = {
  oid: 3802,
  size: (value) => 1 + Buffer.byteLength(value),
  write: (bytes, value, at) => bytes.write(value, bytes.writeUInt8(JSONB_VERSION, at), 'utf8'),
};

const INT32_RANGE = 0x1_0000_0000;

export function writeSafeInteger(bytes: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value)) throw new OutOfRange('a number that is no safe integer');
  bytes.writeInt32BE(Math.floor(value / INT32_RANGE), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

export const int2Array = (values: Values<number>): Buffer => encode(INT2, values);
export const int4Array = (values: Values<number>): Buffer => encode(INT4, values);
export const int8Array = (values: Values<bigint | number>): Buffer => encode(INT8, values);
export const uuidArray = (values: Values<string>): Buffer => encode(UUID, values);
export const byteaArray = (values: Values<Uint8Array>): Buffer => encode(BYTEA, values);
export const textArray = (values: Values<string>): Buffer => encode(TEXT, values);
/** Encodes JSON texts. */
export const jsonbArray = (values: Values<string>): Buffer => encode(JSONB, values);

/** The ids of tenants and sources are few and recur, so their bytes are kept. */
const MAX_KNOWN_UUIDS = 1_000;
const knownUuids = new Map<string, Buffer>();

export function uuidBytes(uuid: string): Buffer {
  let bytes = knownUuids.get(uuid);
  if (bytes === undefined) {
    bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
    if (bytes.length !== UUID_BYTES) throw new TypeError('a UUID has 16 bytes');
    if (knownUuids.size === MAX_KNOWN_UUIDS) knownUuids.clear();
    knownUuids.set(uuid, bytes);
  }
  return bytes;
}
