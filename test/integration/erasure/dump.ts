import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Pool } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { listFiles } from '../archive/archive-fixture.js';

/**
 * Every row of every relation of a database, in the text format of COPY, as pg_dump writes it; with it the rows of the catalog that a dump takes values from:
 * comments, settings, and the planner's statistics, which hold samples of columns.
 */
export async function dumpOf(pool: Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_temp%' ORDER BY 1`,
  );
  const catalog = [
    'pg_description',
    'pg_shdescription',
    'pg_db_role_setting',
    'pg_largeobject',
    'pg_stats',
    'pg_stats_ext',
    'pg_proc',
  ];
  const client = await pool.connect();
  try {
    const dump = new Map<string, string>();
    for (const name of [...rows.map((row) => row.name), ...catalog.map((one) => `pg_catalog.${one}`)])
      dump.set(name, await text(client.query(copyTo(`COPY (SELECT * FROM ${name}) TO STDOUT`))));
    return dump;
  } finally {
    client.release();
  }
}

/** Every file below a directory, its bytes as Latin-1. */
export async function filesOf(root: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const path of await listFiles(root)) files.set(path, (await readFile(path)).toString('latin1'));
  return files;
}

/** Lists where any of the words stands: as it is, in upper or lower case, in JSON, in a URL, in base64 of either alphabet, and all of these in hexadecimal. */
export function placesOf(words: readonly string[], texts: ReadonlyMap<string, string>): string[] {
  const spelled = [
    ...new Map(
      words
        .flatMap(spellings)
        .toReversed()
        .map((one) => [`${one.anyCase} ${one.spelling}`, one]),
    ).values(),
  ];
  return [...texts].flatMap(([place, said]) => {
    // COPY doubles backslashes.
    const exact = said.replaceAll('\\\\', '\\');
    const lower = exact.toLowerCase();
    return spelled
      .filter(({ spelling, anyCase }) => (anyCase ? lower : exact).includes(spelling))
      .map(({ word, as }) => `${place}: ${word} as ${as}`);
  });
}

interface Spelling {
  readonly word: string;
  readonly as: string;
  readonly spelling: string;
  readonly anyCase: boolean;
}

function spellings(word: string): Spelling[] {
  const cases = [...new Set([word, word.toLowerCase(), word.toUpperCase()])];
  const found: Spelling[] = [];
  const note = (as: string, spelling: string, anyCase: boolean): void => {
    found.push({ word, as, spelling: anyCase ? spelling.toLowerCase() : spelling, anyCase });
  };
  for (const one of cases) {
    const json = one.replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const plain: [string, string][] = [
      ['text', one],
      ['UTF-8', Buffer.from(one).toString('latin1')],
      ['JSON', json],
      ['a URL', encodeURIComponent(one)],
    ];
    const binary: [string, Buffer][] = [
      ['UTF-8', Buffer.from(one)],
      ['JSON', Buffer.from(json)],
      ['a URL', Buffer.from(encodeURIComponent(one))],
    ];
    for (const [as, spelling] of plain) note(as, spelling, true);
    for (const [as, bytes] of binary) {
      note(`${as} in hexadecimal`, bytes.toString('hex'), true);
      for (const base64 of base64Of(bytes)) {
        note(`${as} in base64`, base64, false);
        note(`${as} in base64 in hexadecimal`, Buffer.from(base64).toString('hex'), true);
      }
    }
  }
  return found;
}

/** The parts of base64 that do not depend on the bytes before and after, for each of the three places that bytes can begin at, in both alphabets. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const sure = Math.floor((whole.length * 8) / 6);
    return [whole.toString('base64').slice(first, sure), whole.toString('base64url').slice(first, sure)];
  });
}
