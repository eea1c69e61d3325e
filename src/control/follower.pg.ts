import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { RescindError } from '../contracts/index.js';
import type { Log } from '../platform/index.js';
import { READ_LIMIT, type ControlLog } from './control-log.pg.js';
import type { ControlRecord, Seq } from './records.js';
import { createControlState, UnknownRecordVersion, type ControlState } from './state.js';

/** Poll that covers a lost notification. */
const CYCLE_MS = 500;

/** L of the lease protocol: how long a process that vanished is waited for. */
export const LEASE_MS = 4_000;

/** f L: how long this process answers after the start of its last successful read. */
const ANSWER_MS = 0.75 * LEASE_MS;

/** A statement on the follower's session that takes longer counts as a lost database. */
const QUERY_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 250;

/** How long an order waits to be in force before it is answered 503 and may be retried. */
const IN_FORCE_TIMEOUT_MS = 10_000;

/** Advisory lock of the one process that answers introspection. */
const SERVING_LOCK = 7423;

export interface ControlFollower {
  readonly state: ControlState;
  /**
   * Connects and catches up; resolves when everything committed before the call is applied. Reconnects on its own. Rejects
   * when it meets a record of a version that this release cannot read; met later, it stops following and is never current again.
   */
  start(): Promise<void>;
  /** Whether this process may answer *active* now. Read in the same synchronous step as the decision. */
  isCurrent(): boolean;
  /** Why not, for `/health/ready`; undefined when it may. */
  notCurrentReason(): string | undefined;
  /** Resolves when the record is applied here, whether or not it may be answered yet. */
  whenApplied(seq: Seq): Promise<void>;
  /** Resolves when no process answers *active* against the record any more. Throws `not-confirmed` when it cannot tell. */
  whenInForce(seq: Seq): Promise<void>;
  /** Called after records were applied. */
  onApplied(listener: (records: readonly ControlRecord[]) => void): void;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  readonly url: string;
  readonly controlLog: ControlLog;
  readonly log: Log;
  /** Whether this process answers introspection; see README, "One node". */
  readonly serves: boolean;
}

export function createControlFollower({ url, controlLog, log, serves }: FollowerOptions): ControlFollower {
  const state = createControlState();
  const listeners: ((records: readonly ControlRecord[]) => void)[] = [];
  const ownIds = new Set<string>();
  let waiters: { readonly seq: Seq; readonly resolve: () => void }[] = [];
  let session: Client | undefined;
  let readStartedAt = -Infinity;
  let holdsLock = false;
  let fencedUntil = -Infinity;
  let unreadable: UnknownRecordVersion | undefined;
  let stopping = false;
  let wake: () => void = () => {};
  let running: Promise<void> = Promise.resolve();

  async function connect(): Promise<Client> {
    const client = new Client({
      connectionString: url,
      application_name: 'rescind-control',
      keepAlive: true,
      query_timeout: QUERY_TIMEOUT_MS,
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      // The server gives up when we do: a session left waiting for a lock would keep the serving lock from its successor.
      options: `-c tcp_user_timeout=4000 -c synchronous_commit=on -c statement_timeout=${QUERY_TIMEOUT_MS}`,
    });
    client.on('error', (error) => lose(client, error));
    client.on('end', () => lose(client));
    client.on('notification', () => wake());
    try {
      await client.connect();
      await client.query('LISTEN rescind_control');
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
    return client;
  }

  function lose(client: Client, error?: Error): void {
    if (session !== client) return;
    session = undefined;
    holdsLock = false;
    if (!stopping) log.warn({ err: error }, 'the control session was lost; introspection is refused until it is back');
    wake();
  }

  /** One serving process: the lock's session is the one that reads, so a read that succeeds shows the lock was held. */
  async function takeLock(client: Client): Promise<void> {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [SERVING_LOCK]);
    if (!rows[0]?.held) return;
    const id = randomUUID();
    ownIds.add(id);
    // One statement: a crash between the two would leave no trace of either process.
    const { rows: found } = await client.query<{ id: string }>(
      'WITH found AS (DELETE FROM node RETURNING id), joined AS (INSERT INTO node (id) VALUES ($1)) SELECT id FROM found',
      [id],
    );
    const isAfterCrash = found.some((row) => !ownIds.has(row.id));
    // A process that did not say goodbye may answer for f L after it lost its session: no order is in force before L has
    // passed. A fence that is running already is never shortened.
    if (isAfterCrash) fencedUntil = performance.now() + LEASE_MS;
    // What was read before the lock was held may lack what its last holder put in force since.
    readStartedAt = -Infinity;
    holdsLock = session === client;
    log.info({ isAfterCrash }, 'this process answers introspection');
  }

  /** A read that leaves nothing behind shows that all that was committed before it began is applied. */
  async function readAll(client: Client): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      const records = await controlLog.readAfter(state.head, client);
      for (const record of records) state.apply(record);
      if (records.length > 0) announce(records);
      if (records.length < READ_LIMIT) {
        readStartedAt = startedAt;
        return;
      }
    }
  }

  function announce(records: readonly ControlRecord[]): void {
    for (const listener of listeners) listener(records);
    const due = waiters.filter(({ seq }) => seq <= state.head);
    waiters = waiters.filter(({ seq }) => seq > state.head);
    for (const { resolve } of due) resolve();
  }

  async function cycle(): Promise<void> {
    session ??= await connect();
    if (serves && !holdsLock) await takeLock(session);
    await readAll(session);
  }

  async function loop(started: () => void): Promise<void> {
    for (;;) {
      if (stopping) return;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      try {
        await cycle();
        started();
      } catch (error) {
        log.error({ err: error }, 'the control log could not be followed');
        const broken = session;
        session = undefined;
        holdsLock = false;
        broken?.end().catch(() => {});
        if (error instanceof UnknownRecordVersion) {
          // Only another release can read it: the serving lock is left to that one.
          unreadable = error;
          throw error;
        }
        await delay(RECONNECT_MS);
        continue;
      }
      await Promise.race([woken, delay(CYCLE_MS, undefined, { ref: false })]);
    }
  }

  function whenApplied(seq: Seq): Promise<void> {
    if (seq <= state.head) return Promise.resolve();
    wake();
    return new Promise((resolve) => waiters.push({ seq, resolve }));
  }

  function notCurrentReason(): string | undefined {
    if (unreadable) return unreadable.message;
    if (stopping) return 'stopping';
    if (serves && !holdsLock) return session ? 'another process answers introspection' : 'the database cannot be reached';
    if (performance.now() - readStartedAt >= ANSWER_MS) return 'the control log has not been read for too long';
    return undefined;
  }

  return {
    state,
    start() {
      return new Promise((resolve, reject) => {
        running = loop(resolve).catch(reject);
      });
    },
    isCurrent: () => !unreadable && !stopping && holdsLock && performance.now() - readStartedAt < ANSWER_MS,
    notCurrentReason,
    whenApplied,
    async whenInForce(seq) {
      const deadline = performance.now() + IN_FORCE_TIMEOUT_MS;
      const abort = new AbortController();
      const expired = delay(IN_FORCE_TIMEOUT_MS, 'expired', { ref: false, signal: abort.signal }).catch(() => undefined);
      const first = await Promise.race([whenApplied(seq), expired]);
      abort.abort();
      if (first === 'expired') throw new RescindError('not-confirmed');
      // Asked again after each wait: meanwhile the lock may have been lost, and taken back behind a later fence.
      for (;;) {
        if (!holdsLock || fencedUntil > deadline) throw new RescindError('not-confirmed');
        const remaining = fencedUntil - performance.now();
        if (remaining <= 0) return;
        await delay(remaining);
      }
    },
    onApplied: (listener) => listeners.push(listener),
    async stop() {
      stopping = true;
      wake();
      await running;
      const client = session;
      session = undefined;
      // While the fence runs the row stays, so that the next process waits in our place.
      const isFenced = performance.now() < fencedUntil;
      if (client && holdsLock && !isFenced) await client.query('DELETE FROM node').catch(() => {});
      holdsLock = false;
      await client?.end().catch(() => {});
    },
  };
}
