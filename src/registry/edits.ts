import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RescindError, canonicalJson } from '../contracts/index.js';
import {
  createFairQueue,
  type Appended,
  type Command,
  type ControlFollower,
  type ControlLog,
  type ControlState,
  type NewControlRecord,
  type Seq,
} from '../control/index.js';
import type { Actor } from './authored.js';
import { hasExpired } from './callers/secrets.js';

/** Times that an edit is decided anew because an edit of another process came first; then `edit-conflict`. */
const MAX_ATTEMPTS = 20;
/** Times that a command with an unknown outcome is sent; it takes effect once. */
const MAX_SENDS = 3;
const RESEND_MS = 200;
/** Milliseconds that an edit waits to be applied here; then `not-confirmed`. */
const APPLIED_TIMEOUT_MS = 10_000;

/** Waiting edits of one caller and of one tenant; further ones are refused. */
const MAX_IN_LINE_A_CALLER = 20;
const MAX_IN_LINE_A_TENANT = 60;

interface EditsOptions {
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

export interface Edit<T> {
  /** Exactly one record; see {@link createEdits}. */
  readonly record: NewControlRecord;
  /** The edit takes a right away. It is answered only when no process goes by the old record. */
  readonly narrows: boolean;
  readonly result: T;
  /** Runs before the record commits. It may run several times, and the commit may still fail. */
  readonly prepare?: () => Promise<void>;
}

export interface Edits {
  /**
   * Commits the edit that `decide` returns, if the actor still has the right to give it when its turn comes. `decide` is pure and may run
   * several times; an error that it throws ends the edit. When the promise resolves, the record is durable and applied here, and in force
   * everywhere if it narrows. Rejects with `too-many-requests` if too many edits of the actor or its tenant wait.
   */
  commit<T>(actor: Actor, decide: (state: ControlState) => Edit<T>): Promise<T>;
}

/**
 * Creates the queue of edits of the registry.
 *
 * Invariant: edit number v + 1 of the registry is decided on exactly the state that edits 1 to v left, in the whole deployment. So every
 * rule between records (unique names and URIs, an issuer in one tenant, two secrets, the last administrator) can be checked by reading the
 * state, and no edit of one administrator overwrites another's.
 *
 * The invariant is kept by compare-and-swap: a command carries the once-key `['registry', v]`, where v counts the registry's records in the
 * state on which the command was decided. If two commands carry one v, the second appends nothing; it waits for the first and decides anew.
 * A command has one record, because a reader may stop between two records of a command but never within one.
 */
export function createEdits({ controlLog, follower, now = Date.now }: EditsOptions): Edits {
  // Edits of one process wait in line so that they do not conflict with each other; callers take turns.
  const line = createFairQueue<() => Promise<void>>(() => 1);
  const waiting = new Map<string, number>();
  let isRunning = false;

  /**
   * Decides on the present state. A refusal counts only after everything committed has been read, because another process may just have
   * made the missing record.
   */
  async function decideNow<T>(decide: (state: ControlState) => Edit<T>): Promise<{ version: number; edit: Edit<T> }> {
    try {
      return { version: follower.state.registryVersion, edit: decide(follower.state) };
    } catch (error) {
      if (!(error instanceof RescindError)) throw error;
      // A command without records commits nothing and returns the head.
      const { lastSeq: head } = await send(controlLog, { records: [] });
      await applied(follower, head);
      return { version: follower.state.registryVersion, edit: decide(follower.state) };
    }
  }

  async function attempt<T>(decide: (state: ControlState) => Edit<T>): Promise<{ edit: Edit<T>; seq: Seq }> {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const { version, edit } = await decideNow(decide);
      await edit.prepare?.();
      const appended = await send(controlLog, {
        records: [edit.record],
        once: {
          key: ['registry', String(version)],
          content: canonicalJson({ attempt: randomUUID(), record: edit.record }),
        },
      });
      await applied(follower, appended.lastSeq);
      if (appended.same) return { edit, seq: appended.lastSeq };
    }
    throw new RescindError('edit-conflict', { retryable: true });
  }

  async function run(): Promise<void> {
    isRunning = true;
    while (line.size > 0) for (const turn of line.take(1)) await turn();
    isRunning = false;
  }

  function count(actor: Actor, by: 1 | -1): void {
    for (const owner of [`caller ${actor.id}`, `tenant ${actor.tenant}`]) {
      const left = (waiting.get(owner) ?? 0) + by;
      if (left === 0) waiting.delete(owner);
      else waiting.set(owner, left);
    }
  }

  function inTurn<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
    const isFull =
      (waiting.get(`caller ${actor.id}`) ?? 0) >= MAX_IN_LINE_A_CALLER ||
      (waiting.get(`tenant ${actor.tenant}`) ?? 0) >= MAX_IN_LINE_A_TENANT;
    if (isFull)
      return Promise.reject(
        new RescindError('too-many-requests', {
          detail: 'too many edits of this caller, or of its tenant, are waiting; try again later',
        }),
      );
    count(actor, 1);
    return new Promise((resolve, reject) => {
      line.push(actor.id, async () => {
        await work().then(resolve, reject);
        count(actor, -1);
      });
      if (!isRunning) void run();
    });
  }

  /** A secret that was removed while the edit waited gives no command. */
  function requireActor({ id, tenant, key }: Actor, state: ControlState): void {
    if (key === undefined) return;
    const caller = state.caller(id);
    const stored = caller?.secrets.find((secret) => secret.id === key);
    const isGood =
      caller?.tenant === tenant &&
      !caller.disabled &&
      stored !== undefined &&
      !hasExpired(stored, Math.floor(now() / 1000));
    if (!isGood) throw new RescindError('unauthenticated', { detail: 'the key was withdrawn while the edit waited' });
    if (!caller.roles.admin)
      throw new RescindError('forbidden', { detail: 'the role `admin` was taken away while the edit waited' });
  }

  return {
    async commit(actor, decide) {
      const decideAsActor =
        <T>(ask: (state: ControlState) => Edit<T>) =>
        (state: ControlState): Edit<T> => {
          requireActor(actor, state);
          return ask(state);
        };
      const { edit, seq } = await inTurn(actor, () => attempt(decideAsActor(decide)));
      if (edit.narrows) await follower.whenInForce(seq, edit.record.tenant);
      return edit.result;
    },
  };
}

async function send(controlLog: ControlLog, command: Command): Promise<Appended> {
  for (let sends = 1; ; sends++) {
    try {
      return await controlLog.append(command);
    } catch (error) {
      if (sends === MAX_SENDS || !(error instanceof RescindError) || !error.retryable) throw error;
      await delay(RESEND_MS);
    }
  }
}

async function applied(follower: ControlFollower, seq: Seq): Promise<void> {
  const abort = new AbortController();
  const expired = delay(APPLIED_TIMEOUT_MS, 'expired', { ref: false, signal: abort.signal }).catch(() => undefined);
  const first = await Promise.race([follower.whenApplied(seq), expired]);
  abort.abort();
  if (first === 'expired')
    throw new RescindError('not-confirmed', {
      detail: 'the change is stored, but this process has not applied it yet',
    });
}
