import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkDatabase, type CheckDatabaseOptions, type LedgerReport } from '../../../src/fsck/index.js';
import { makeLogKey, readLogKey } from '../../../src/log/publish/log-key.js';
import { originOf } from '../../../src/log/index.js';
import {
  createFrontier,
  encodeEntry,
  formatCheckpoint,
  formatNote,
  leafHash,
  parseCheckpoint,
  parseNote,
} from '../../../src/merkle/index.js';
import { createFsckWorld, ENTRIES, ERASED, PARTLY_ERASED, RULES, SOURCE, type FsckWorld } from './fsck-world.js';
import { LOG_ORIGIN } from './ledger-fixture.js';

let world: FsckWorld;
beforeAll(async () => {
  world = await createFsckWorld();
});
afterAll(() => world.stop());
afterEach(() => world.restore());

const check = (over: Partial<CheckDatabaseOptions> = {}) =>
  checkDatabase({ pool: world.pool, ledgerDir: world.root, witnesses: [world.witness], ...over });

/** Places of all that is wrong, of every tenant. */
const placesIn = (reports: readonly LedgerReport[]): string[] =>
  reports.flatMap(({ wrong }) => wrong.map(({ place }) => place));
const places = async (over: Partial<CheckDatabaseOptions> = {}): Promise<string[]> => placesIn(await check(over));

const query = (sql: string, values: readonly unknown[] = []) => world.query(sql, values);

/** SQL that flips one bit of a column, by its type. */
const FLIPS: Readonly<Record<string, (column: string) => string>> = {
  bytea: (column) => `set_bit(${column}, 11, 1 - get_bit(${column}, 11))`,
  bigint: (column) => `${column} # 4096`,
  smallint: (column) => `${column} # 4::smallint`,
  integer: (column) => `${column} # 2`,
  uuid: (column) => `overlay(${column}::text PLACING '7' FROM 36)::uuid`,
  text: (column) => `overlay(${column} PLACING chr(ascii(substr(${column}, 5, 1)) # 1) FROM 5)`,
};

/** Columns, the row whose bit is flipped, and the place that is named. `mode` has few values: it gets another. */
const COLUMNS: Readonly<
  Record<string, { readonly where: string; readonly columns: Readonly<Record<string, string>> }>
> = {
  entry: {
    where: 'ix = 5',
    columns: {
      tenant: 'entry 5',
      ix: 'entry 5',
      arrival: 'entry 5',
      type: 'entry 5',
      source: 'entry 5',
      commitment: 'entry 5',
      leaf_hash: 'entry 5',
    },
  },
  payload: {
    where: 'ix = 5',
    columns: {
      tenant: 'payload 5',
      ix: 'payload 5',
      mode: 'payload 5',
      salt: 'payload 5',
      attributes: 'payload 5',
      bytes: 'payload 5',
    },
  },
  tree_tile: {
    where: 'n = 1',
    columns: { tenant: 'tree_tile 0/1', level: 'tree_tile 0/1', n: 'tree_tile 0/1', hash: 'tree_tile 0/1' },
  },
  tree_head: {
    where: 'true',
    columns: { tenant: 'tree_head', incarnation: 'tree_head', size: 'tree_head', root: 'tree_head' },
  },
  entry_remainder: {
    where: `ix = ${ERASED}`,
    columns: {
      tenant: `payload ${ERASED}`,
      ix: `payload ${ERASED}`,
      erasure: `entry_remainder ${ERASED}`,
      said: `entry_remainder ${ERASED}`,
    },
  },
  dedupe: { where: 'ix = 9', columns: { tenant: 'dedupe', ix: 'dedupe' } },
  ledger_head: {
    where: 'true',
    columns: {
      tenant: 'ledger_head',
      next_ix: 'entry 600',
      last_arrival: 'ledger_head',
      next_entity: 'ledger_head',
    },
  },
  ledger_key: { where: 'true', columns: { tenant: 'ledger_key', public_key: 'ledger_key' } },
  control_outbox: { where: 'true', columns: { seq: 'control_outbox' } },
  ledger_checkpoint: {
    where: 'true',
    columns: {
      tenant: 'ledger_checkpoint 1',
      incarnation: 'ledger_checkpoint 3',
      size: 'ledger_checkpoint 1',
      note: 'ledger_checkpoint 1',
      witnessed_size: 'ledger_checkpoint 1 (witnessed)',
      witnessed_note: 'ledger_checkpoint 1 (witnessed)',
    },
  },
};
/** Columns that nothing in the database or outside it contradicts, by the reason. */
const UNTOLD: Readonly<Record<string, readonly string[]>> = {
  'a time at which a row was stored': [
    'ledger_checkpoint.at',
    'ledger_checkpoint.witnessed_at',
    'ledger_key.since',
    'ledger_key.until',
  ],
  'what the page shows of a witness; its cosignature stands in ledger_checkpoint': [
    'ledger_witness.tenant',
    'ledger_witness.incarnation',
    'ledger_witness.name',
    'ledger_witness.size',
    'ledger_witness.at',
  ],
  'has one value': ['control_outbox.only_row', 'ledger_partitions.only_row'],
  'a range that is missing is made when an index needs it': ['ledger_partitions.up_to'],
  'a hash of what a producer said, under a secret key or after it was erased': ['dedupe.key', 'dedupe.hash'],
};

describe('a database that is as it must be', () => {
  it('is found so, and counted', async () => {
    const reports = await check();
    expect(reports).toEqual([
      {
        tenant: world.tenant,
        entries: ENTRIES,
        erased: 1,
        tiles: 2,
        checkpoints: expect.any(Number),
        cosignatures: 1,
        rules: RULES,
        lifts: 1,
        wrong: [],
      },
    ]);
  });

  it('may have erased payloads, which are counted', async () => {
    await query(`UPDATE dedupe SET hash = '\\x00' WHERE ix IN (5, 100)`);
    await query('DELETE FROM payload WHERE ix IN (5, 100)');
    await query(
      `INSERT INTO entry_remainder SELECT tenant, nth, erasure, said FROM entry_remainder, unnest(ARRAY[5, 100]) AS nth WHERE ix = $1`,
      [ERASED],
    );
    expect(await check()).toEqual([expect.objectContaining({ erased: 3, wrong: [] })]);
  });

  it('may be checked a tenant at a time', async () => {
    await query('UPDATE entry SET type = $1 WHERE ix = 5', ['x']);
    const [report] = await checkDatabase({ pool: world.pool, ledgerDir: world.root, tenant: world.tenant });
    expect(placesIn([report!])).toEqual(['entry 5']);
  });
});

describe('a flipped bit', () => {
  it('is tried in each column', async () => {
    const schema = await readFile('src/log/migrations/schema.sql', 'utf8');
    const tables = [...schema.matchAll(/^CREATE TABLE (\w+) \($/gm)].map(([, table]) => table!);
    const rows = await world.query<{ name: string }>(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = ANY ($1)`,
      [tables],
    );
    const tried = Object.entries(COLUMNS).flatMap(([table, { columns }]) =>
      Object.keys(columns).map((column) => `${table}.${column}`),
    );
    expect(rows.map(({ name }) => name).sort()).toEqual([...tried, ...Object.values(UNTOLD).flat()].sort());
    expect(tables.length).toBeGreaterThan(9);
  });

  const all = Object.entries(COLUMNS).flatMap(([table, { where, columns }]) =>
    Object.entries(columns).map(([column, place]) => ({ table, column, where, place })),
  );
  it.each(all)('in $table $column is named', async ({ table, column, where, place }) => {
    const [typed] = await world.query<{ type: string }>(
      `SELECT data_type AS type FROM information_schema.columns WHERE table_name = $1 AND column_name = $2`,
      [table, column],
    );
    const flip = column === 'mode' ? () => `'batch'` : FLIPS[typed!.type]!;
    const changed = await world.query(`UPDATE ${table} SET ${column} = ${flip(column)} WHERE ${where} RETURNING 1`);
    expect(changed).toHaveLength(1);
    expect(await places()).toContain(place);
  });

  it.each([
    ['the root of a kept checkpoint', 2],
    ['the signature of a kept checkpoint', 4],
    ['the size of a kept checkpoint', 1],
    ['the origin of a kept checkpoint', 0],
  ])('in %s is named', async (_case, line) => {
    const file = await newestFile();
    const lines = (await readFile(file, 'utf8')).split('\n');
    const bytes = Buffer.from(lines[line]!);
    bytes[bytes.length - 10 < 0 ? 0 : bytes.length - 10]! ^= 1;
    lines[line] = bytes.toString('utf8');
    await writeFile(file, lines.join('\n'));
    expect(await places()).toEqual([file]);
  });
});

async function newestFile(): Promise<string> {
  const directory = join(world.root, world.tenant);
  const names = (await readdir(directory)).filter((name) => name.startsWith('checkpoint-')).sort();
  return join(directory, names.at(-1)!);
}

/** Rewrites the leaf hashes of a range of entries to what their columns say, as somebody would who hides a change. */
async function hashAgain(from: number, to: number): Promise<void> {
  const rows = await world.query(
    'SELECT ix, arrival, type, source, commitment FROM entry WHERE ix BETWEEN $1 AND $2 ORDER BY ix',
    [from, to],
  );
  for (const { ix, arrival, type, source, commitment } of rows)
    await query('UPDATE entry SET leaf_hash = $2 WHERE ix = $1', [
      ix,
      leafHash(encodeEntry({ index: BigInt(ix), arrivalMs: BigInt(arrival), type, source, commitment })),
    ]);
}

/** Rewrites the tree over what the leaf hashes are. */
async function growAgain(): Promise<void> {
  const rows = await world.query<{ leaf_hash: Buffer }>('SELECT leaf_hash FROM entry ORDER BY ix');
  const frontier = createFrontier(0n, []);
  const hashes: [bigint, Buffer][] = [];
  for (const { leaf_hash } of rows)
    frontier.append(leaf_hash, (level, n, hash) => {
      if (level === 8) hashes.push([n, hash]);
    });
  for (const [n, hash] of hashes)
    await query('UPDATE tree_tile SET hash = $2 WHERE level = 0 AND n = $1', [String(n), hash]);
  await query('UPDATE tree_head SET root = $1', [frontier.root()]);
}

const swap = (one: number, other: number) =>
  query(
    `UPDATE entry e SET (arrival, type, source, commitment) = (SELECT o.arrival, o.type, o.source, o.commitment FROM kept_entry o WHERE o.ix = $1::bigint + $2::bigint - e.ix)
      WHERE e.ix IN ($1, $2)`,
    [one, other],
  );

describe('an entry', () => {
  it.each([0, 5, 255, 599])('that is dropped (%i) is named', async (ix) => {
    await query('DELETE FROM entry WHERE ix = $1', [ix]);
    expect((await places())[0]).toBe(`entry ${ix}`);
  });

  it('that is dropped with all that lies behind it, and the tree with it, is missed by the checkpoints', async () => {
    for (const table of ['entry', 'payload', 'dedupe']) await query(`DELETE FROM ${table} WHERE ix >= 400`);
    await query('UPDATE ledger_head SET next_ix = 400, last_arrival = (SELECT arrival FROM entry WHERE ix = 399)');
    await query('DELETE FROM tree_tile WHERE n = 1');
    const rows = await world.query<{ leaf_hash: Buffer }>('SELECT leaf_hash FROM entry ORDER BY ix');
    const frontier = createFrontier(0n, []);
    for (const { leaf_hash } of rows) frontier.append(leaf_hash);
    await query('UPDATE tree_head SET size = 400, root = $1', [frontier.root()]);
    expect(await places()).toEqual(['ledger_checkpoint 1', await newestFile()]);
  });

  it('that is doubled behind the last one is named', async () => {
    await query(
      'INSERT INTO entry SELECT tenant, 600, arrival, type, source, commitment, leaf_hash FROM entry WHERE ix = 7',
    );
    expect(await places()).toEqual(['entry 600']);
  });

  it('that is doubled over another is named', async () => {
    await query(
      'UPDATE entry SET (arrival, type, source, commitment, leaf_hash) = (SELECT arrival, type, source, commitment, leaf_hash FROM entry WHERE ix = 30) WHERE ix = 31',
    );
    expect((await places())[0]).toBe('entry 31');
  });

  it('that is swapped with another is named', async () => {
    await swap(40, 41);
    expect(await places()).toEqual(['entry 40']);
  });

  it('that is swapped with another, its hash made again, is missed by the tree', async () => {
    await swap(40, 41);
    await hashAgain(40, 41);
    await query(
      `UPDATE payload p SET (salt, bytes) = (SELECT o.salt, o.bytes FROM kept_payload o WHERE o.ix = 81 - p.ix) WHERE ix IN (40, 41)`,
    );
    expect(await places()).toEqual(expect.arrayContaining(['tree_tile 0/0', 'tree_head', 'ledger_checkpoint 1']));
  });

  it('that is changed, and the whole tree with it, is missed by what was signed', async () => {
    await query('UPDATE entry SET arrival = arrival + 1 WHERE ix = 599');
    await query('UPDATE ledger_head SET last_arrival = last_arrival + 1');
    await hashAgain(599, 599);
    await growAgain();
    expect(await places()).toEqual(expect.arrayContaining(['ledger_checkpoint 1', await newestFile()]));
    expect(await places()).not.toContain('tree_head');
  });
});

describe('a checkpoint', () => {
  it('by another key is named', async () => {
    const [{ note }] = (await query('SELECT note FROM ledger_checkpoint')) as [{ note: string }];
    const { text } = parseNote(note)!;
    const signature = readLogKey(makeLogKey()).sign(originOf(LOG_ORIGIN, world.tenant, 1), text);
    await query('UPDATE ledger_checkpoint SET note = $1', [formatNote({ text, signatures: [signature] })]);
    expect(await places()).toEqual(['ledger_checkpoint 1']);
  });

  it('of another root by the key itself is named', async () => {
    const key = (await world.directory.readKeys(world.tenant))[0]!;
    const file = await newestFile();
    const { origin, size } = parseCheckpoint(parseNote(await readFile(file, 'utf8'))!.text)!;
    const text = formatCheckpoint({ origin, size, root: Buffer.alloc(32, 1) });
    await writeFile(file, formatNote({ text, signatures: [key.sign(origin, text)] }));
    expect(await places()).toEqual([file]);
  });

  it('whose file was lost is named', async () => {
    await rm(await newestFile());
    expect(await places()).toEqual([join(world.root, world.tenant)]);
  });

  it('of a ledger that the database lacks is named', async () => {
    for (const table of Object.keys(COLUMNS).filter((name) => name !== 'control_outbox'))
      await query(`DELETE FROM ${table}`);
    expect(await places()).toEqual([await newestFile()]);
  });

  it.each([['note'], ['witnessed_note']])('with a flipped bit in a cosignature is named: %s', async (column) => {
    const [{ note }] = (await query('SELECT note FROM ledger_checkpoint')) as [{ note: string }];
    const flipped = note.replace(/.{9}\n$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end.slice(1));
    await query(`UPDATE ledger_checkpoint SET ${column} = $1`, [flipped]);
    const place = `ledger_checkpoint 1${column === 'note' ? '' : ' (witnessed)'}`;
    expect(await places()).toEqual([place]);
    // Nobody can tell without the key.
    expect(await places({ witnesses: [] })).toEqual([]);
  });

  it('that is said to be witnessed, and is not, is named', async () => {
    await query(
      `UPDATE ledger_checkpoint SET witnessed_note = regexp_replace(witnessed_note, '— witness\\.example .*\n', '')`,
    );
    expect(await places({ witnesses: [] })).toEqual(['ledger_checkpoint 1 (witnessed)']);
  });

  describe('in the topic', () => {
    const name = 'rescind.checkpoints';
    const topic = (notes: readonly string[]) => ({ topic: { name, notes: async () => notes } });
    const newest = async () => readFile(await newestFile(), 'utf8');

    it('is as it must be', async () => {
      expect(await check(topic(await world.directory.notes(world.tenant)))).toMatchObject([{ wrong: [] }]);
    });

    it('that was lost is named, whatever the files have', async () => {
      expect(await places(topic([]))).toEqual([name]);
      expect(await places(topic((await world.directory.notes(world.tenant)).slice(0, -1)))).toEqual([name]);
    });

    it('is named if it is of more entries, of another root, or by another key', async () => {
      const key = (await world.directory.readKeys(world.tenant))[0]!;
      const origin = originOf(LOG_ORIGIN, world.tenant, 1);
      const signed = (size: bigint, by = key, root = Buffer.alloc(32, 1)) => {
        const text = formatCheckpoint({ origin, size, root });
        return formatNote({ text, signatures: [by.sign(origin, text)] });
      };
      const place = `${name}, record 1 of ${world.tenant}`;
      for (const note of [signed(ENTRIES + 1n), signed(324n), signed(324n, readLogKey(makeLogKey())), 'no note'])
        expect(await places(topic([note, await newest()]))).toEqual([place]);
    });
  });

  it('cannot be vouched for by a key that was put into the database', async () => {
    await query(`UPDATE ledger_key SET public_key = ${FLIPS['bytea']!('public_key')}`);
    expect(await places()).toEqual(['ledger_key']);
  });
});

describe('what lies beside the ledger', () => {
  it('a payload that is gone without an erasure is named', async () => {
    await query('DELETE FROM payload WHERE ix = 77');
    expect(await places()).toEqual(['payload 77']);
  });

  it.each([
    ['DELETE FROM control_log WHERE seq = 11', 'entry 21'],
    ['DELETE FROM control_log WHERE seq = 12', 'entry 22'],
    [`UPDATE control_log SET body = jsonb_set(body, '{effect}', '"revoke"') WHERE seq = 10`, 'control_log 10'],
    [`UPDATE control_log SET body = jsonb_set(body, '{selector,user,sub}', '"u9"') WHERE seq = 12`, 'control_log 12'],
    [
      `INSERT INTO control_log SELECT 9, tenant, kind, 'r9', version, at, body FROM control_log WHERE seq = 10`,
      'control_log 9',
    ],
    [
      `WITH later AS (UPDATE control_outbox SET seq = 14)
       INSERT INTO control_log SELECT 14, tenant, kind, 'r9', version, at, body FROM control_log WHERE seq = 10`,
      'control_log 14',
    ],
    ['DELETE FROM control_log WHERE seq = 13', 'entry 23'],
    [`UPDATE control_log SET body = jsonb_set(body, '{resume}', 'false') WHERE seq = 13`, 'control_log 13'],
    [`UPDATE control_log SET at = at + interval '1 s' WHERE seq = 13`, 'control_log 13'],
    [`UPDATE control_log SET kind = 'rule.ordered' WHERE seq = 13`, 'control_log 13'],
    [
      `INSERT INTO control_log SELECT 9, tenant, kind, 'r9', version, at, body FROM control_log WHERE seq = 13`,
      'control_log 9',
    ],
    [
      `UPDATE entry_remainder SET said = replace(said, 'person', 'parson') WHERE ix = ${PARTLY_ERASED}`,
      'control_log 10',
    ],
    [`DELETE FROM entry_remainder WHERE ix = ${PARTLY_ERASED}`, 'control_log 10'],
    [`DELETE FROM entry_remainder WHERE ix = ${ERASED}`, `payload ${ERASED}`],
    [`UPDATE entry_remainder SET ix = 600 WHERE ix = ${PARTLY_ERASED}`, 'control_log 10'],
    ['DELETE FROM erasure', `entry_remainder ${ERASED}`],
    ['UPDATE control_outbox SET seq = 11', 'control_outbox'],
    ['UPDATE dedupe SET ix = 10 WHERE ix = 9', 'dedupe'],
    ['UPDATE source_count SET n = n + 1', 'source_count'],
    [`DELETE FROM source_count`, 'source_count'],
    [`DELETE FROM rule_version WHERE seq = 11`, 'rule_version'],
    ['DELETE FROM dedupe WHERE ix = 9', 'dedupe'],
    ['UPDATE ledger_head SET next_ix = next_ix + 1', 'entry 600'],
    ['UPDATE ledger_head SET next_ix = next_ix - 1', 'tree_head'],
    ['UPDATE ledger_head SET last_arrival = last_arrival + 1', 'ledger_head'],
    ['INSERT INTO tree_tile SELECT tenant, 1, 0, hash FROM tree_tile WHERE n = 1', 'tree_tile 1/0'],
  ])('%s: names %s', async (sql, place) => {
    await query(sql);
    expect((await places())[0]).toBe(place);
  });

  it('a rule whose entry waits is not wrong', async () => {
    await query(
      `INSERT INTO control_log SELECT 14, tenant, kind, 'r9', version, at, body FROM control_log WHERE seq = 10`,
    );
    expect(await places()).toEqual([]);
  });

  it('an event of a source that lost its entry is found by its count', async () => {
    await query(`UPDATE source_count SET source = '${SOURCE.replace('c01', 'c02')}'`);
    const [report] = await check();
    expect(report!.wrong[0]).toMatchObject({ place: 'source_count', count: 2 });
  });
});
