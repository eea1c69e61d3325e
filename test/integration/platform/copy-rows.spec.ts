import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CopyRows, int4Array } from '../../../src/platform/postgres/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

const UUID = '00112233-4455-6677-8899-aabbccddeeff';
const COLUMNS = 'nth, b, i2, i4, i8, u, t, y, l, a';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(
    'CREATE TABLE copied (nth int, b boolean, i2 smallint, i4 int, i8 bigint, u uuid, t text, y bytea, l bytea, a int[])',
  );
});
afterAll(() => database.drop());

async function copy(rows: CopyRows): Promise<void> {
  const client = await database.pool.connect();
  try {
    await rows.send(client);
  } finally {
    client.release();
  }
}

describe('rows that are copied', () => {
  it('arrive with every value as it was given, however many there are', async () => {
    const rows = new CopyRows('copied', COLUMNS);
    const text = 'Grüße, "世界" 🙂 \\';
    const long = Buffer.alloc(3_000, 7);
    for (let nth = 0; nth < 100; nth++) {
      rows
        .row()
        .int4(nth)
        .bool(true)
        .int2(-32768)
        .int4(2147483647)
        .int8(-(2n ** 63n));
      rows
        .uuid(UUID)
        .text(text)
        .bytes(long)
        .latin1('\0ÿ')
        .bytes(int4Array([1, null]));
    }
    rows.row().int4(100).bool(null).int2(undefined).int4(null).int8(null).uuid(UUID).text('').bytes(null).latin1('');
    rows.bytes(null);
    rows
      .row()
      .int4(101)
      .bool(false)
      .int2(0)
      .int4(0)
      .int8(9007199254740991)
      .uuid(UUID)
      .text(text)
      .bytes(long)
      .latin1('');
    rows.bytes(int4Array([]));
    await copy(rows);
    const { rows: stored } = await database.pool.query('SELECT * FROM copied ORDER BY nth');
    const full = { b: true, i2: -32768, i4: 2147483647, i8: String(-(2n ** 63n)), u: UUID, t: text, y: long };
    expect(stored.slice(0, 100)).toEqual(
      Array.from({ length: 100 }, (_, nth) => ({ nth, ...full, l: Buffer.from([0, 255]), a: [1, null] })),
    );
    expect(stored.slice(100)).toEqual([
      { nth: 100, b: null, i2: null, i4: null, i8: null, u: UUID, t: '', y: null, l: Buffer.alloc(0), a: null },
      { ...full, nth: 101, b: false, i2: 0, i4: 0, i8: '9007199254740991', l: Buffer.alloc(0), a: [] },
    ]);
  });

  it('cost nothing if there are none: not even a statement, whose table does not exist', async () => {
    await copy(new CopyRows('nowhere', 'nth'));
  });

  it('hold little memory outside the heap if they are few, because V8 answers its growth by collecting all memory', () => {
    const before = process.memoryUsage().external;
    const held = Array.from({ length: 1_000 }, (_, nth) => new CopyRows('copied', 'nth').row().int4(nth));
    const grown = process.memoryUsage().external - before;
    expect(held.length).toBe(1_000);
    expect(grown).toBeLessThan(8_000_000);
  });

  it('use the memory of rows that were sent', async () => {
    const rowsOf = (value: number): CopyRows => {
      const rows = new CopyRows('copied', 'nth, y');
      const bytes = Buffer.alloc(3_000, value);
      for (let nth = 0; nth < 100; nth++) rows.row().int4(value).bytes(bytes);
      return rows;
    };
    await copy(rowsOf(1));
    const before = process.memoryUsage().external;
    for (let value = 2; value < 50; value++) await copy(rowsOf(value));
    expect(process.memoryUsage().external - before).toBeLessThan(8_000_000);
    const { rows: stored } = await database.pool.query(
      'SELECT nth, count(*)::int AS n, bool_and(get_byte(y, 2999) = nth) AS same FROM copied WHERE nth BETWEEN 1 AND 49 AND b IS NULL GROUP BY nth',
    );
    expect(stored.length).toBe(49);
    expect(stored.every(({ same, n }) => same && n >= 100)).toBe(true);
  });

  it('are refused as the server refuses a number that is too large', () =>
    expect(() => new CopyRows('copied', COLUMNS).row().int4(2 ** 31)).toThrow(
      expect.objectContaining({ code: '22003' }),
    ));
});
