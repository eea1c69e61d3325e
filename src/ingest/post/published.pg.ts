import { setTimeout as delay } from 'node:timers/promises';
import type { IntakeResult } from '../../contracts/index.js';
import { readEvidence, readPublished } from '../../log/index.js';
import { evidenceFile } from '../../merkle/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';

/** Time in which a request that waits is answered, whatever has been published by then. Shorter than the stop of a process may take. */
const ANSWER_WITHIN_MS = 4_000;
/** Pause between two looks at what is published. One look serves all requests that wait. */
const LOOK_EVERY_MS = 100;

export interface Publication {
  /**
   * Waits until published checkpoints cover the entries of the results, and adds the evidence of each. In results of stored events, `evidence` is
   * null if that did not come in time, or not at all: the events are stored all the same. Never rejects.
   */
  prove(tenant: string, results: readonly IntakeResult[]): Promise<readonly IntakeResult[]>;
  /** Answers everybody who waits. */
  stop(): void;
}

export interface PublicationOptions {
  /** Not one that cancels statements of clients that leave: a look is for all who wait. */
  readonly pool: Pool;
  /** Reads evidence. */
  readonly questionPool: Pool;
  readonly log: Log;
  readonly answerWithinMs?: number;
}

interface Waiting {
  readonly tenant: string;
  readonly last: bigint;
  readonly covered: () => void;
}

export function createPublication({
  pool,
  questionPool,
  log,
  answerWithinMs = ANSWER_WITHIN_MS,
}: PublicationOptions): Publication {
  const stopping = new AbortController();
  const waiting = new Set<Waiting>();
  let looking = false;
  let proving: Promise<unknown> = Promise.resolve();

  async function look(): Promise<void> {
    looking = true;
    let failed = false;
    while (waiting.size > 0 && !stopping.signal.aborted) {
      try {
        for (const tenant of new Set([...waiting].map((one) => one.tenant))) {
          const size = (await readPublished(pool, tenant))?.size ?? 0n;
          for (const one of waiting) if (one.tenant === tenant && size > one.last) one.covered();
        }
        failed = false;
      } catch (err) {
        if (!failed) log.warn({ err }, 'cannot read what is published; requests that wait for it may get no evidence');
        failed = true;
      }
      await pause(LOOK_EVERY_MS, stopping.signal);
    }
    looking = false;
  }

  async function coverage(tenant: string, last: bigint, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const one: Waiting = { tenant, last, covered: resolve };
      waiting.add(one);
      signal.addEventListener('abort', () => {
        waiting.delete(one);
        resolve();
      });
      if (!looking) void look();
    });
  }

  /** Reads evidence for one request at a time, so that those who wait take one connection. */
  function read(tenant: string, indexes: readonly bigint[], signal: AbortSignal) {
    const turn = proving.then(() =>
      signal.aborted ? [] : readEvidence(questionPool, tenant, indexes, { withSigned: false }),
    );
    proving = turn.catch(() => undefined);
    return turn;
  }

  async function evidenceOf(tenant: string, indexes: readonly bigint[], signal: AbortSignal) {
    const last = indexes.reduce((one, other) => (one > other ? one : other));
    await coverage(tenant, last, signal);
    const found = await read(tenant, indexes, signal);
    return new Map(found.map((evidence) => [String(evidence.proof.index), evidenceFile(evidence)]));
  }

  return {
    async prove(tenant, results) {
      const indexes = [...new Set(results.flatMap((one) => ('index' in one ? [BigInt(one.index)] : [])))];
      if (indexes.length === 0) return results;
      const ended = new AbortController();
      const signal = AbortSignal.any([ended.signal, stopping.signal]);
      const found = await Promise.race([
        evidenceOf(tenant, indexes, signal).catch((err: unknown) => {
          log.warn({ err }, 'cannot read the evidence of stored events; they are answered without');
        }),
        pause(answerWithinMs, signal),
      ]);
      ended.abort();
      return results.map((one) => withEvidence(one, found?.get('index' in one ? one.index : '')));
    },
    stop: () => stopping.abort(),
  };
}

function withEvidence(result: IntakeResult, evidence: object | undefined): IntakeResult {
  if ('error' in result) return result;
  if (evidence === undefined) return { ...result, evidence: null };
  return 'state' in result ? { ...result, state: 'published', evidence } : { ...result, evidence };
}

const pause = (ms: number, signal: AbortSignal): Promise<undefined> =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
