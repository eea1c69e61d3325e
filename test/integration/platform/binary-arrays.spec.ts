import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
} from '../../../src/platform/postgres/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const UUID = '00112233-4455-6677-8899-aabbccddeeff';

describe('an array parameter in binary', () => {
  it.each([
    ['int2', int2Array([-32768, 0, 32767, null]), '{-32768,0,32767,NULL}'],
    ['int4', int4Array([-2147483648, 0, 2147483647, undefined]), '{-2147483648,0,2147483647,NULL}'],
    [
      'int8',
      int8Array([-(2n ** 63n), 2n ** 63n - 1n, -1, -4294967297, 9007199254740991, null]),
      '{-9223372036854775808,9223372036854775807,-1,-4294967297,9007199254740991,NULL}',
    ],
    ['uuid', uuidArray([UUID, null, UUID]), `{${UUID},NULL,${UUID}}`],
    ['bytea', byteaArray([Buffer.from([0, 255]), Buffer.alloc(0), null]), '{"\\\\x00ff","\\\\x",NULL}'],
    ['text', textArray(['Grüße, "世界" 🙂 \\', '', 'NULL', null]), '{"Grüße, \\"世界\\" 🙂 \\\\","","NULL",NULL}'],
    ['jsonb', jsonbArray(['{"a": [1, "ü"]}', 'null', null]), '{"{\\"a\\": [1, \\"ü\\"]}","null",NULL}'],
    ['int4', int4Array([]), '{}'],
  ])('%s[] equals the array that the server reads from text', async (type, parameter, text) => {
    const { rows } = await database.pool.query(
      `SELECT $1::${type}[] = $2::text::${type}[] AS same, cardinality($1::${type}[]) AS n`,
      [parameter, text],
    );
    expect(rows).toEqual([{ same: true, n: text === '{}' ? 0 : expect.any(Number) }]);
  });

  it.each([
    ['int2', () => int2Array([32768])],
    ['int4', () => int4Array([2 ** 31])],
    ['int4', () => int4Array([1.5])],
    ['int8', () => int8Array([2 ** 53])],
  ])('a number that is no %s is refused as the server refuses it', (_type, encode) =>
    expect(encode).toThrow(expect.objectContaining({ code: '22003' })),
  );
});
