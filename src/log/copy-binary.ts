import { uuidBytes } from '../platform/postgres/index.js';

/** Writes fields of PostgreSQL's binary COPY format (PostgreSQL manual, COPY, "Binary Format"). Each field follows its length. */
export interface FieldWriter {
  int4(value: number): FieldWriter;
  text(value: string): FieldWriter;
  uuid(value: string): FieldWriter;
  bytea(value: Uint8Array): FieldWriter;
  /** Writes a bytea that is held as a latin1 string. */
  latin1(value: string): FieldWriter;
  /** Returns a copy of everything written since the last `take`. */
  take(): Buffer;
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
export const COPY_HEADER: Buffer = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff]);

const LENGTH_BYTES = 4;
const UUID_BYTES = 16;
/** The most UTF-8 bytes that a UTF-16 unit takes. */
const MAX_UTF8_BYTES = 3;
const FIRST_SIZE = 64 * 1024;

/** Creates a writer. Its buffer grows and is reused after `take`. */
export function createFieldWriter(): FieldWriter {
  let bytes = Buffer.allocUnsafe(FIRST_SIZE);
  let at = 0;
  const reserve = (size: number): void => {
    if (at + size <= bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + size));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
  };
  const writer: FieldWriter = {
    int4(value) {
      reserve(2 * LENGTH_BYTES);
      at = bytes.writeInt32BE(LENGTH_BYTES, at);
      at = bytes.writeInt32BE(value, at);
      return writer;
    },
    text(value) {
      reserve(LENGTH_BYTES + value.length * MAX_UTF8_BYTES);
      const length = bytes.write(value, at + LENGTH_BYTES, 'utf8');
      bytes.writeInt32BE(length, at);
      at += LENGTH_BYTES + length;
      return writer;
    },
    uuid(value) {
      reserve(LENGTH_BYTES + UUID_BYTES);
      at = bytes.writeInt32BE(UUID_BYTES, at);
      at += uuidBytes(value).copy(bytes, at);
      return writer;
    },
    bytea(value) {
      reserve(LENGTH_BYTES + value.length);
      at = bytes.writeInt32BE(value.length, at);
      bytes.set(value, at);
      at += value.length;
      return writer;
    },
    latin1(value) {
      reserve(LENGTH_BYTES + value.length);
      at = bytes.writeInt32BE(value.length, at);
      at += bytes.write(value, at, 'latin1');
      return writer;
    },
    take() {
      const taken = Buffer.from(bytes.subarray(0, at));
      at = 0;
      return taken;
    },
  };
  return writer;
}
