import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from 'pg';
import { uuidBytes, within, writeSafeInteger } from './binary-arrays.js';

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const END_OF_ROWS = -1;
const NULL_LENGTH = -1;
const LENGTH_BYTES = 4;
const UUID_BYTES = 16;
/** The most UTF-8 bytes that a UTF-16 unit takes. */
const MAX_UTF8_BYTES = 3;
const FIRST_SIZE = 1024;

/**
 * Buffers of rows that were sent, for the next rows; the longest unused first, so that each table gets the buffer of its size again. V8 answers
 * much new memory outside its heap by collecting all memory, for which every event of a small batch would wait.
 */
const spare: Buffer[] = [];
const MAX_SPARE = 8;
/** A full batch of payloads. */
const MAX_SPARE_BYTES = 8 * 1024 * 1024;

type Nullable<T> = T | null | undefined;

/**
 * Collects rows of one table in PostgreSQL's binary COPY format (PostgreSQL manual, COPY, "Binary Format") and sends them. `row` begins a row;
 * a call for each column follows, in the order of the columns.
 */
export class CopyRows {
  readonly #into: string;
  readonly #columns: number;
  #bytes = spare.shift() ?? Buffer.allocUnsafe(FIRST_SIZE);
  #at = HEADER.copy(this.#bytes);

  /** Takes the columns' names, separated by commas. */
  constructor(table: string, columns: string) {
    this.#into = `${table} (${columns})`;
    this.#columns = columns.split(',').length;
  }

  /** Copies the rows to the table, in one statement; does nothing if there are none. Call it once, and last. */
  async send(client: PoolClient): Promise<void> {
    if (this.#at > HEADER.length) {
      this.#reserve(2);
      const end = this.#bytes.writeInt16BE(END_OF_ROWS, this.#at);
      const copy = client.query(copyFrom(`COPY ${this.#into} FROM STDIN (FORMAT binary)`));
      await pipeline(Readable.from([this.#bytes.subarray(0, end)]), copy);
    }
    // The server has answered: nothing reads the bytes any more.
    if (spare.length < MAX_SPARE && this.#bytes.length <= MAX_SPARE_BYTES) spare.push(this.#bytes);
  }

  row(): this {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(this.#columns, this.#at);
    return this;
  }

  bool(value: Nullable<boolean>): this {
    if (value === null || value === undefined) return this.#null();
    this.#begin(1);
    this.#at = this.#bytes.writeInt8(value ? 1 : 0, this.#at);
    return this;
  }

  int2(value: Nullable<number>): this {
    if (value === null || value === undefined) return this.#null();
    this.#begin(2);
    this.#at = this.#bytes.writeInt16BE(within(value, 16), this.#at);
    return this;
  }

  int4(value: Nullable<number>): this {
    if (value === null || value === undefined) return this.#null();
    this.#begin(4);
    this.#at = this.#bytes.writeInt32BE(within(value, 32), this.#at);
    return this;
  }

  int8(value: Nullable<bigint | number>): this {
    if (value === null || value === undefined) return this.#null();
    this.#begin(8);
    if (typeof value === 'bigint') this.#bytes.writeBigInt64BE(value, this.#at);
    else writeSafeInteger(this.#bytes, value, this.#at);
    this.#at += 8;
    return this;
  }

  uuid(value: string): this {
    this.#begin(UUID_BYTES);
    this.#at += uuidBytes(value).copy(this.#bytes, this.#at);
    return this;
  }

  text(value: string): this {
    this.#reserve(LENGTH_BYTES + value.length * MAX_UTF8_BYTES);
    const length = this.#bytes.write(value, this.#at + LENGTH_BYTES, 'utf8');
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at += LENGTH_BYTES + length;
    return this;
  }

  /** Writes a bytea, or a value of another type in its binary format. */
  bytes(value: Nullable<Uint8Array>): this {
    if (value === null || value === undefined) return this.#null();
    this.#begin(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Writes a bytea that is kept as a latin1 string. */
  latin1(value: string): this {
    this.#begin(value.length);
    this.#at += this.#bytes.write(value, this.#at, 'latin1');
    return this;
  }

  #null(): this {
    this.#reserve(LENGTH_BYTES);
    this.#at = this.#bytes.writeInt32BE(NULL_LENGTH, this.#at);
    return this;
  }

  #begin(length: number): void {
    this.#reserve(LENGTH_BYTES + length);
    this.#at = this.#bytes.writeInt32BE(length, this.#at);
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
