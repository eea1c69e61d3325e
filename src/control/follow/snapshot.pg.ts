import { setInterval } from 'node:timers';
import type { Pool } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type Log } from '../../platform/log/index.js';
import { inTransaction, loadSql } from '../../platform/postgres/index.js';
import type { Session } from '../log/control-log.pg.js';
import { CONTROL_RECORD_VERSION } from '../log/records.js';
import type { ControlState, DueRule, StatePart } from '../state/state.js';

/** Version of the dump. Raise it with every change of the dump, of the rules' columns, or of how records are folded. */
const FORMAT = 2;
/** The format that this process reads and writes: a snapshot of another version or another byte order is ignored. */
const DUMPED_AS = `${FORMAT}/${CONTROL_RECORD_VERSION}/${new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 'little' : 'big'}`;

/** Records that must follow a snapshot before the next one is written. A start reads this many in about half a second. */
export const RECORDS_A_SNAPSHOT = 25_000;

/** How often a process drops dead rules and checks whether a snapshot is due. */
const INTERVAL_MS = 60_000;

/** Advisory lock of the process that writes a snapshot. */
const SNAPSHOT_LOCK = 7424;

/** Header of PostgreSQL's binary COPY: signature, flags and extension. A row follows: its count of fields, then each field's length and value. */
const COPY_HEADER_BYTES = 19;
const COPY_VALUE_AT = COPY_HEADER_BYTES + 2 + 4;
const COPY_TRAILER_BYTES = 2;

const FIND = loadSql(import.meta.url, 'find-snapshot.sql');

/**
 * Fills an empty state from the newest snapshot that belongs to this log; the caller then reads the log after the state's head.
 * Returns false if there is no snapshot; the log must then be read from its beginning. Throws if a snapshot cannot be loaded;
 * the state is then unusable.
 */
export async function readSnapshot(session: Session, state: ControlState): Promise<boolean> {
  await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  try {
    const { rows } = await session.query<{ seq: string; parts: number }>(FIND, [DUMPED_AS]);
    const found = rows[0];
    if (found) await loadParts(session, state, found);
    return found !== undefined;
  } finally {
    await session.query('COMMIT');
  }
}

async function loadParts(
  session: Session,
  state: ControlState,
  { seq, parts }: { seq: string; parts: number },
): Promise<void> {
  // Parts are read one by one: the session's statement timeout is short, and a million rules should not be in memory twice.
  for (let part = 0; part < parts; part++) {
    const { rows } = await session.query<Omit<StatePart, 'bytes'>>(
      'SELECT kind, tenant FROM control_snapshot_part WHERE seq = $1 AND part = $2',
      [seq, part],
    );
    state.load({ ...rows[0]!, bytes: await readBytes(session, seq, part) } as StatePart);
  }
}

/** Reads the bytes by COPY. In a row they would arrive as hexadecimal text, twice as long, and would have to be decoded. */
async function readBytes(session: Session, seq: string, part: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const copied = session.query(
    copyTo(
      `COPY (SELECT bytes FROM control_snapshot_part WHERE seq = ${BigInt(seq)} AND part = ${part}) TO STDOUT (FORMAT binary)`,
    ),
  );
  for await (const chunk of copied) chunks.push(chunk as Buffer);
  const copy = Buffer.concat(chunks);
  const end = COPY_VALUE_AT + copy.readInt32BE(COPY_VALUE_AT - 4);
  if (copy.readInt16BE(COPY_HEADER_BYTES) !== 1 || end + COPY_TRAILER_BYTES !== copy.length)
    throw new Error(`part ${part} of the snapshot is not one value`);
  // Copied, so that the bytes begin at an aligned address, as typed arrays require.
  return Buffer.from(copy.subarray(COPY_VALUE_AT, end));
}

/**
 * Writes a snapshot if `recordsASnapshot` records came after the last one and no other process is writing one; returns whether
 * it did. The new snapshot replaces the earlier ones; the log itself is never shortened.
 * It lives in the database: other machines would lack a file, and a restored database would contradict it.
 */
export async function writeSnapshot(
  pool: Pool,
  state: ControlState,
  recordsASnapshot: number = RECORDS_A_SNAPSHOT,
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rows: due } = await client.query<{ due: boolean }>(
      `SELECT pg_try_advisory_xact_lock($1) AND coalesce((SELECT max(seq) FROM control_snapshot WHERE dumped_as = $2), 0) + $3 <= $4::bigint AS due`,
      [SNAPSHOT_LOCK, DUMPED_AS, recordsASnapshot, String(state.head)],
    );
    if (!due[0]?.due) return false;
    const { head, headAt } = state;
    const parts = state.dump();
    await client.query('DELETE FROM control_snapshot');
    await client.query('INSERT INTO control_snapshot (seq, at, dumped_as, parts) VALUES ($1, $2, $3, $4)', [
      String(head),
      new Date(headAt),
      DUMPED_AS,
      parts.length,
    ]);
    for (const [part, { kind, tenant, bytes }] of parts.entries()) {
      await client.query(
        'INSERT INTO control_snapshot_part (seq, part, kind, tenant, bytes) VALUES ($1, $2, $3, $4, $5)',
        [String(head), part, kind, tenant, bytes],
      );
    }
    return true;
  });
}

/** Asks the ledger about rules of one tenant. The answer is keyed by rule id. */
export type LastUses = (tenant: string, rules: readonly DueRule[]) => Promise<ReadonlyMap<string, number>>;

/** Rules in one question to the ledger. */
const RULES_A_QUESTION = 500;

export interface SnapshotOptions {
  readonly pool: Pool;
  readonly state: ControlState;
  readonly log: Log;
  /**
   * Finds when the ledger last recorded a token or ID-JAG with the identity that each rule names (epoch seconds). A recording that
   * came more than `KEPT_S` after the one before it does not count, nor does anything after it. A rule that is missing from the
   * answer is kept.
   */
  readonly lastUses: LastUses;
  readonly intervalMs?: number;
  readonly recordsASnapshot?: number;
}

/** Regularly drops dead rules and writes snapshots, so that memory stays small and the next start short. Call the returned function before the pool ends. */
export function keepSnapshots({
  pool,
  state,
  log,
  lastUses,
  intervalMs = INTERVAL_MS,
  recordsASnapshot,
}: SnapshotOptions): () => Promise<void> {
  let writing: Promise<unknown> = Promise.resolve();
  let isWriting = false;

  async function tidy(): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const dropped = state.compact(now) + (await dropUnused(state, lastUses, now));
    if (dropped > 0) log.info({ dropped }, 'dropped rules that stop nothing any more');
  }

  const timer = setInterval(() => {
    if (isWriting) return;
    isWriting = true;
    writing = tidy()
      .catch((error: unknown) =>
        log.warn(
          { err: error },
          'cannot read what was recorded with revoked tokens and sessions; their rules are kept',
        ),
      )
      .then(() => writeSnapshot(pool, state, recordsASnapshot))
      .then((written) => written && log.info({ seq: String(state.head) }, 'wrote a snapshot of the control state'))
      .catch((error: unknown) =>
        log.warn({ err: error }, 'cannot write a snapshot of the control state; the next start takes longer'),
      )
      .finally(() => {
        isWriting = false;
      });
  }, intervalMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await writing;
  };
}

/** Drops rules by identity if nothing was recorded with them for so long that nothing they stop can still be alive. Returns how many. */
export async function dropUnused(state: ControlState, lastUses: LastUses, now: number): Promise<number> {
  let dropped = 0;
  for (const [tenant, rules] of state.due(now)) {
    for (let from = 0; from < rules.length; from += RULES_A_QUESTION) {
      const asked = rules.slice(from, from + RULES_A_QUESTION);
      const found = await lastUses(tenant, asked);
      for (const rule of asked) {
        const lastUse = found.get(rule.rule);
        if (lastUse !== undefined && state.settle(rule, lastUse, now)) dropped += 1;
      }
    }
  }
  return dropped;
}
