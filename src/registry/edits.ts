import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RescindError, canonicalJson } from '../contracts/index.js';
import type { Appended, Command, ControlFollower, ControlLog, ControlState, NewControlRecord, Seq } from '../control/index.js';

/** How often an edit is decided anew because another process's came first; then `edit-conflict`. */
const MAX_ATTEMPTS = 20;
/** How often a command is sent whose outcome was not heard; it applies once. */
const MAX_SENDS = 3;
const RESEND_MS = 200;
/** How long an edit waits to be applied here; then `not-confirmed`. */
const APPLIED_TIMEOUT_MS = 10_000;

export interface Edit<T> {
  /** One record, never more: see {@link createEdits}. */
  readonly record: NewControlRecord;
  /** What was allowed before is allowed no longer: answered only when no process goes by the old record. */
  readonly narrows: boolean;
  readonly result: T;
  /** Done before the record commits; may be done again, and in vain. */
  readonly prepare?: () => Promise<void>;
}

export interface Edits {
  /**
   * Commits the edit that `decide` asks for. `decide` is pure and may run several times; what it throws ends the edit.
   * On return the record is durable and applied here, and in force everywhere when it narrows.
   */
  commit<T>(decide: (state: ControlState) => Edit<T>): Promise<T>;
}

/**
 * Invariant: edit number v + 1 of the registry is decided on exactly the state that edits 1 to v left, in the whole
 * deployment. So every rule between records (unique names and URIs, an issuer in one tenant, two secrets, the last
 * administrator) is a look at the state, and nothing is lost between two administrators.
 *
 * Kept by compare-and-swap: a command carries the once-key `['registry', v]`, where v counts the registry's records in
 * the state it was decided on. Of two commands with one v the second appends nothing; it waits for the first and decides
 * anew. A command holds one record, because a reader may stop between two records of a command but never within one.
 */
export function createEdits({ controlLog, follower }: { controlLog: ControlLog; follower: ControlFollower }): Edits {
  let last: Promise<unknown> = Promise.resolve();

  /** A refusal counts only when nothing committed before it was left unread: another process may have just made what is missing. */
  async function decideNow<T>(decide: (state: ControlState) => Edit<T>): Promise<{ version: number; edit: Edit<T> }> {
    try {
      return { version: follower.state.registryVersion, edit: decide(follower.state) };
    } catch (error) {
      if (!(error instanceof RescindError)) throw error;
      // A command without records commits nothing and answers with the head.
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
        once: { key: ['registry', String(version)], content: canonicalJson({ attempt: randomUUID(), record: edit.record }) },
      });
      await applied(follower, appended.lastSeq);
      if (appended.same) return { edit, seq: appended.lastSeq };
    }
    throw new RescindError('edit-conflict', { retryable: true });
  }

  return {
    async commit(decide) {
      // Edits of one process stand in line, so that they do not conflict with each other.
      const turn = last.then(() => attempt(decide));
      last = turn.catch(() => undefined);
      const { edit, seq } = await turn;
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
  if (first === 'expired') throw new RescindError('not-confirmed', { detail: 'stored, but not yet applied here' });
}
