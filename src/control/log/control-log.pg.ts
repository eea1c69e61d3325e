import { createHash } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import type { Pool } from 'pg';
import { queryDurably } from './durable.pg.js';
import { createFairQueue } from './fair-queue.js';
import { versionOf, type ControlRecord, type NewControlRecord, type Seq } from './records.js';

/** The most records that one read fetches. */
export const READ_LIMIT = 5_000;

/** The most records of orders that share one statement; further orders wait for the next statement. */
const ORDERED_PER_STATEMENT = 500;

/**
 * The most records of events in one statement, beside the waiting orders. An order waits for at most one running statement, so this
 * bounds how long events delay an order. Events are taken beside orders, so that a stream of orders does not starve revocations by events.
 */
export const EVENTS_PER_STATEMENT = 50;

/** After this time the outcome of an append is unknown. The server has no timeout of its own for a commit that waits for a standby. */
const APPEND_TIMEOUT_MS = 10_000;

/** Records that commit together or not at all and, with `once`, at most once for its key. */
export interface Command {
  readonly records: readonly NewControlRecord[];
  /** Set if an event, or a contradiction between events, caused the command. Orders of people and clients go before it. */
  readonly from?: 'event';
  readonly once?: {
    /** Identifies the command, e.g. `['event', source, id]`. */
    readonly key: readonly string[];
    /** Must be equal if the key is equal; `Appended.same` reports whether it was. */
    readonly content: string;
    /** How long the key is kept, seconds; if absent, for ever. */
    readonly keepSeconds?: number;
  };
}

export interface Appended {
  readonly firstSeq: Seq;
  readonly lastSeq: Seq;
  /** True if the key was known: nothing was appended, and the seqs are those of the first command. */
  readonly replayed: boolean;
  /** False if the key was known with other content. */
  readonly same: boolean;
}

export interface ControlLog {
  /**
   * Commits a command. On return it is durable. Commands that wait in this process share a statement; orders go before events, and
   * tenants take turns. If it rejects with a retryable error, the outcome is unknown; a command with a key may be sent again and
   * applies once.
   */
  append(command: Command): Promise<Appended>;
  /**
   * Reads at most `READ_LIMIT` records after `seq`, in order, on the given session or one of the pool. A reader cannot overtake a
   * writer: see README.
   */
  readAfter(seq: Seq, session?: Session): Promise<readonly ControlRecord[]>;
  /** Reads the records of a tenant's rules above `after`, up to `upTo`, in order, at most `limit`. */
  readRules(tenant: string, range: RulesRange, session?: Session): Promise<readonly ControlRecord[]>;
  /** Reads the records about one subject, oldest first. */
  readSubject(subject: string): Promise<readonly ControlRecord[]>;
  readRange(firstSeq: Seq, lastSeq: Seq): Promise<readonly ControlRecord[]>;
  /** Says whether a command with this key was committed and its key is still kept. */
  isKnown(key: readonly string[]): Promise<boolean>;
}

export interface RulesRange {
  readonly after: Seq;
  readonly upTo: Seq;
  readonly limit: number;
}

/** Kinds of records that order, lift or end rules. */
const RULE_KINDS: readonly ControlRecord['kind'][] = ['rule.ordered', 'rule.lifted', 'subject.enabled'];

/** Runs statements: a pool, or a single session. */
export type Session = Pick<Pool, 'query'>;

interface Waiting {
  readonly command: Command;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

export function createControlLog({ pool }: { pool: Pool }): ControlLog {
  const recordsOf = ({ command }: Waiting): number => Math.max(1, command.records.length);
  const orders = createFairQueue(recordsOf);
  const events = createFairQueue(recordsOf);
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (orders.size + events.size > 0)
      await runBatch([...orders.take(ORDERED_PER_STATEMENT), ...events.take(EVENTS_PER_STATEMENT)]);
    running = false;
  }

  async function runBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const appended = await appendBatch(
        pool,
        batch.map(({ command }) => command),
      );
      batch.forEach(({ resolve }, at) => resolve(appended[at]!));
    } catch (error) {
      // A command that the database refuses for its content must not fail the commands that shared its statement.
      if (isRefusal(error) && batch.length > 1) for (const one of batch) await runBatch([one]);
      else
        for (const { reject } of batch)
          reject(new RescindError(isRefusal(error) ? 'internal' : 'database-unavailable', { cause: error }));
    }
  }

  return {
    append(command) {
      return new Promise((resolve, reject) => {
        (command.from === 'event' ? events : orders).push(command.records[0]?.tenant ?? '', {
          command,
          resolve,
          reject,
        });
        if (!running) void run();
      });
    },
    readAfter: (seq, session) => read(session ?? pool, 'seq > $1 ORDER BY seq LIMIT $2', [seq, READ_LIMIT]),
    readRules: (tenant, { after, upTo, limit }, session) =>
      read(session ?? pool, 'tenant = $1 AND kind = ANY ($2) AND seq > $3 AND seq <= $4 ORDER BY seq LIMIT $5', [
        tenant,
        RULE_KINDS,
        after,
        upTo,
        limit,
      ]),
    readSubject: (subject) => read(pool, 'subject = $1 ORDER BY seq', [subject]),
    readRange: (firstSeq, lastSeq) => read(pool, 'seq BETWEEN $1 AND $2 ORDER BY seq', [firstSeq, lastSeq]),
    async isKnown(key) {
      const { rows } = await pool.query(
        "SELECT FROM control_command WHERE key = decode($1, 'hex') AND (kept_until IS NULL OR kept_until >= clock_timestamp())",
        [digest(JSON.stringify(key))],
      );
      return rows.length > 0;
    },
  };
}

async function appendBatch(pool: Pool, commands: readonly Command[]): Promise<Appended[]> {
  const payload = commands.map(({ once, records }) => ({
    key: once ? digest(JSON.stringify(once.key)) : null,
    hash: once ? digest(once.content) : null,
    keep_seconds: once?.keepSeconds ?? null,
    records: records.map((record) => ({ ...record, version: versionOf(record) })),
  }));
  const rows = await appendRows(pool, JSON.stringify(payload));
  return rows.map((row) => ({
    firstSeq: BigInt(row.first_seq) as Seq,
    lastSeq: BigInt(row.last_seq) as Seq,
    replayed: row.replayed,
    same: row.same,
  }));
}

async function appendRows(pool: Pool, payload: string): Promise<AppendedRow[]> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return (
      await queryDurably<AppendedRow>(
        client,
        'SELECT * FROM control_append($1::jsonb) ORDER BY ordinal',
        [payload],
        APPEND_TIMEOUT_MS,
      )
    ).rows;
  } catch (error) {
    if (!isRefusal(error)) broken = error instanceof Error ? error : new Error('the append failed');
    throw error;
  } finally {
    client.release(broken);
  }
}

interface AppendedRow {
  first_seq: string;
  last_seq: string;
  replayed: boolean;
  same: boolean;
}

/** A record as PostgreSQL returns it. */
export interface RecordRow {
  seq: string;
  tenant: string;
  kind: string;
  subject: string;
  version: number;
  at: Date;
  body: unknown;
}

async function read(session: Session, where: string, parameters: unknown[]): Promise<ControlRecord[]> {
  const { rows } = await session.query<RecordRow>(
    `SELECT seq, tenant, kind, subject, version, at, body FROM control_log WHERE ${where}`,
    parameters,
  );
  return rows.map((row) => ({ ...row, seq: BigInt(row.seq) as Seq, at: row.at.getTime() }) as ControlRecord);
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Recognises data, integrity and limit errors (SQLSTATE classes 22, 23, 54): a retry of the same statement fails the same way. */
const isRefusal = (error: unknown): boolean =>
  /^(22|23|54)[0-9A-Z]{3}$/.test(String((error as { code?: unknown } | null)?.code));
