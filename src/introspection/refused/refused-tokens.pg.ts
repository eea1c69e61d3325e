import {
  byteaArray,
  int2Array,
  int8Array,
  loadSql,
  textArray,
  uuidArray,
  type Pool,
} from '../../platform/postgres/index.js';
import { ruleKeyToBytes } from '../../rules/index.js';
import type { OnRefused } from './refused-tokens.js';

const WRITE = loadSql(import.meta.url, 'write-refused-tokens.sql');

/** Slots of the table's check. */
const SLOTS = 64;

/** Adds counts to the table, which every node writes and every node answers from. */
export const createRefusedTokenWriter =
  (pool: Pool): OnRefused =>
  async (refusals) => {
    const rows = refusals.map((refusal) => ({ ...refusal, key: ruleKeyToBytes(refusal.token) }));
    await pool.query(WRITE, [
      uuidArray(rows.map(({ tenant }) => tenant)),
      uuidArray(rows.map(({ source }) => source)),
      textArray(rows.map(({ reason }) => reason)),
      textArray(rows.map(({ member }) => member)),
      int2Array(rows.map(({ key }) => key[0]! % SLOTS)),
      byteaArray(rows.map(({ key }) => key)),
      int8Array(rows.map(({ count }) => count)),
      int8Array(rows.map(({ firstMs }) => firstMs)),
      int8Array(rows.map(({ lastMs }) => lastMs)),
    ]);
  };
