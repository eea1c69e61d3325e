/** A column value of a binary COPY. Strings go as text or jsonb, numbers as int4, bigints as int8, buffers as bytea. */
export type CopyValue = string | number | bigint | Buffer | { readonly uuid: string } | null;

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const NULL_FIELD = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Rows in PostgreSQL's binary COPY format (PostgreSQL manual, COPY, "Binary Format"). */
export function encodeCopyBinary(rows: readonly (readonly CopyValue[])[]): Buffer {
  const chunks: Buffer[] = [HEADER];
  for (const row of rows) {
    const count = Buffer.allocUnsafe(2);
    count.writeInt16BE(row.length);
    chunks.push(count);
    for (const value of row) pushField(chunks, value);
  }
  chunks.push(TRAILER);
  return Buffer.concat(chunks);
}

function pushField(chunks: Buffer[], value: CopyValue): void {
  if (value === null) {
    chunks.push(NULL_FIELD);
    return;
  }
  const bytes = encodeValue(value);
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes.length);
  chunks.push(length, bytes);
}

function encodeValue(value: Exclude<CopyValue, null>): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'object') return Buffer.from(value.uuid.replaceAll('-', ''), 'hex');
  const bytes = Buffer.allocUnsafe(typeof value === 'number' ? 4 : 8);
  if (typeof value === 'number') bytes.writeInt32BE(value);
  else bytes.writeBigInt64BE(value);
  return bytes;
}
