// Answers questions with DuckDB in a process of its own, so that neither its memory nor a crash touches the service. It has no environment, no
// connection to PostgreSQL, and imports no code of Rescind. It ends when its parent does.
import process from 'node:process';
import {
  BIGINT,
  DuckDBInstance,
  INTEGER,
  LIST,
  listValue,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { EngineValue } from '../question/compose.js';
import type { Cell, EngineFailure, Request, Response } from './messages.js';

const THREADS = '2';

const USE_COLUMNS = `ix BIGINT, first_at BIGINT, last_at BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT,
  res INTEGER, res_bound BOOLEAN, scopes INTEGER[], op SMALLINT, outcome SMALLINT, status INTEGER, route INTEGER, addr INTEGER, source VARCHAR,
  tok BLOB, n BIGINT, records BIGINT, bytes BIGINT`;
const LATE_COLUMNS = `ix BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN`;
const KEEP_FACTS = `INSERT INTO tail_late SELECT ix, bound_ix, usr, client, agent, agent_ix, res, res_bound FROM tail_uses
  WHERE ix < $1 AND (bound_ix >= $1 OR agent_ix >= $1)`;
/** Types that the text of a file is converted to after it is read. */
const CONVERTED: Readonly<Record<string, (column: string) => string>> = {
  BLOB: (column) => `unhex(${column})`,
  'INTEGER[]': (column) => `${column}::INTEGER[]`,
};

interface Room {
  readonly instance: DuckDBInstance;
  /** Loads and trims rows. Each question has a connection of its own. */
  readonly loader: DuckDBConnection;
}

const rooms = new Map<string, Room>();
interface Query {
  connection?: DuckDBConnection;
  stopped?: 'cancelled' | 'too-long';
  interrupting?: NodeJS.Timeout;
}
const running = new Map<number, Query>();

/** DuckDB forgets an interrupt that comes before a query has begun, so it is repeated until the query has ended. */
const INTERRUPT_EVERY_MS = 50;

class NoRoom extends Error {}

function roomOf(name: string): Room {
  const room = rooms.get(name);
  if (room === undefined) throw new NoRoom('the database is closed');
  return room;
}

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

async function open({ directories, memory }: Extract<Request, { ask: 'open' }>): Promise<Room> {
  const instance = await DuckDBInstance.create(':memory:', { threads: THREADS, memory_limit: memory });
  const loader = await instance.connect();
  for (const setting of [
    `SET allowed_directories = [${directories.map(quote).join(', ')}]`,
    "SET temp_directory = ''",
    // Files of the archive never change under their names, but for a rebuild, which is noticed by their time.
    'SET parquet_metadata_cache = true',
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET enable_external_access = false',
    'SET lock_configuration = true',
    `CREATE TABLE tail_uses (${USE_COLUMNS})`,
    `CREATE TABLE tail_late (${LATE_COLUMNS})`,
  ])
    await loader.run(setting);
  return { instance, loader };
}

function loadStatement(table: string, declared: string, path: string): string {
  const columns = declared.split(',').map((column) => column.trim().split(/\s+/) as [string, string]);
  const read = columns.map(([name, type]) => `${quote(name)}: ${quote(type in CONVERTED ? 'VARCHAR' : type)}`);
  const selected = columns.map(([name, type]) => CONVERTED[type]?.(name) ?? name);
  return `INSERT INTO ${table} SELECT ${selected.join(', ')} FROM read_csv(${quote(path)}, columns = {${read.join(', ')}}, auto_detect = false,
    header = false, delim = '|', quote = '', escape = '', nullstr = '', strict_mode = true)`;
}

/** Returns how many uses the tail has. */
async function load({ uses, late, trim, room }: Extract<Request, { ask: 'load' }>): Promise<number> {
  const { loader } = roomOf(room);
  await loader.run('BEGIN');
  try {
    if (uses !== null) await loader.run(loadStatement('tail_uses', USE_COLUMNS, uses));
    if (late !== null) await loader.run(loadStatement('tail_late', LATE_COLUMNS, late));
    if (trim !== null) {
      // The archive has these uses as of the end of their range; what became known behind its end stays here.
      await loader.run(KEEP_FACTS, [trim], [BIGINT]);
      await loader.run('DELETE FROM tail_uses WHERE ix < $1', [trim], [BIGINT]);
      // Facts that became known below the archive's end stand in its files.
      await loader.run('DELETE FROM tail_late WHERE greatest(bound_ix, agent_ix) < $1', [trim], [BIGINT]);
    }
    await loader.run('COMMIT');
  } catch (error) {
    await loader.run('ROLLBACK');
    throw error;
  }
  return Number((await loader.runAndReadAll('SELECT count(*) FROM tail_uses')).getRows()[0]![0]);
}

function bound({ type, value }: EngineValue): [DuckDBValue, DuckDBType] {
  switch (type) {
    case 'BIGINT':
      return [value, BIGINT];
    case 'VARCHAR':
      return [value, VARCHAR];
    case 'INTEGER[]':
      return [listValue(value), LIST(INTEGER)];
    case 'BIGINT[]':
      return [listValue(value), LIST(BIGINT)];
    case 'VARCHAR[]':
      return [listValue(value), LIST(VARCHAR)];
  }
}

async function run({
  id,
  room,
  sql,
  values,
  timeoutMs,
}: Extract<Request, { ask: 'run' }>): Promise<readonly (readonly Cell[])[]> {
  const own: Query = {};
  // Known before it has a connection, so that a cancellation which comes meanwhile finds it.
  running.set(id, own);
  const timer = setTimeout(() => halt(own, 'too-long'), timeoutMs);
  try {
    const connection = await roomOf(room).instance.connect();
    own.connection = connection;
    if (own.stopped !== undefined) throw new Stopped(own.stopped);
    const pairs = values.map(bound);
    const reader = await connection.runAndReadAll(
      sql,
      pairs.map(([value]) => value),
      pairs.map(([, type]) => type),
    );
    return reader.getRowsJS() as readonly (readonly Cell[])[];
  } catch (error) {
    throw own.stopped === undefined ? error : new Stopped(own.stopped);
  } finally {
    clearTimeout(timer);
    clearInterval(own.interrupting);
    running.delete(id);
    own.connection?.closeSync();
  }
}

function halt(query: Query, how: 'cancelled' | 'too-long'): void {
  query.stopped ??= how;
  query.connection?.interrupt();
  query.interrupting ??= setInterval(() => query.connection?.interrupt(), INTERRUPT_EVERY_MS);
}

class Stopped extends Error {
  readonly how: 'cancelled' | 'too-long';
  constructor(how: 'cancelled' | 'too-long') {
    super(how);
    this.how = how;
  }
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof Stopped) return error.how;
  if (error instanceof NoRoom) return 'closed';
  const message = String((error as Error).message);
  if (message.startsWith('Out of Memory')) return 'too-large';
  if (/^(?:IO|Invalid|Permission|Serialization)/.test(message)) return 'file';
  return 'other';
}

async function answer(request: Request): Promise<Response> {
  const { id } = request;
  try {
    switch (request.ask) {
      case 'open':
        rooms.set(request.room, await open(request));
        return { id, rows: [] };
      case 'load':
        return { id, rows: [], kept: await load(request) };
      case 'run':
        return { id, rows: await run(request) };
      case 'cancel': {
        const target = running.get(request.target);
        if (target !== undefined) halt(target, 'cancelled');
        return { id, rows: [] };
      }
      case 'close': {
        const room = rooms.get(request.room);
        rooms.delete(request.room);
        room?.loader.closeSync();
        room?.instance.closeSync();
        return { id, rows: [] };
      }
    }
  } catch (error) {
    return { id, failed: failureOf(error), message: String((error as Error).message).slice(0, 2_000) };
  }
}

process.on('message', async (request: Request) => {
  const response = await answer(request);
  if (process.connected) process.send!(response);
});
process.on('disconnect', () => process.exit());
