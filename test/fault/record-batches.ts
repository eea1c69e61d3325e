import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Offsets in a record batch on disk (Kafka's message format 2): its length, its header, its records. */
const LENGTH_AT = 8;
const HEADER_BYTES = 12;
const LAST_OFFSET_DELTA_AT = 23;
const RECORDS_AT = 61;

export interface Spoilt {
  readonly offset: number;
  readonly records: number;
}

/** `record`: one byte of what it holds, as a bad sector would. `length`: how long it is, so that nobody finds what is behind it. */
export type Damage = 'record' | 'length';

/** Damages the batch of a partition that holds the offset, on the broker's disk. */
export async function spoilBatch(directory: string, holding: number, damage: Damage): Promise<Spoilt> {
  const segment = (await readdir(directory))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1)!;
  const file = await open(join(directory, segment), 'r+');
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(size);
    await file.read(bytes, 0, size, 0);
    for (let at = 0; at < size; ) {
      const end = at + HEADER_BYTES + bytes.readInt32BE(at + LENGTH_AT);
      const offset = Number(bytes.readBigInt64BE(at));
      const records = bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1;
      if (offset + records > holding) {
        const where = damage === 'length' ? at + LENGTH_AT : at + RECORDS_AT + ((end - at - RECORDS_AT) >> 1);
        await file.write(
          damage === 'length' ? Buffer.from([0, 0, 0, 5]) : Buffer.from([bytes[where]! ^ 0x55]),
          0,
          damage === 'length' ? 4 : 1,
          where,
        );
        return { offset, records };
      }
      at = end;
    }
    throw new Error(`no batch holds the offset ${holding}`);
  } finally {
    await file.close();
  }
}
