import type { IncomingMessage, ServerResponse } from 'node:http';
import { RescindError } from '../contracts/index.js';
import type { Arriving, RequestGate } from '../platform/http/index.js';
import type { Metrics } from '../platform/observe/index.js';
import type { Leaving } from '../platform/postgres/index.js';
import { identified } from './callers/identified.js';
import type { Identify } from './callers/identify.js';
import type { KeyUses } from './key-uses/key-uses.js';
import { createTurns } from './turns.js';

/** Questions of one caller that run or wait at once; more than a page of a console asks. */
export const MAX_QUESTIONS_A_CALLER = 16;
/** Questions of all callers of a tenant that run or wait at once. */
export const MAX_QUESTIONS_A_TENANT = 32;

export interface AdmissionOptions {
  readonly identify: Identify;
  readonly keyUses: Pick<KeyUses, 'note'>;
  readonly leaving: Leaving;
  readonly metrics: Metrics;
  /** Questions that the database answers at the same time. */
  readonly questionsAtOnce: number;
}

interface Admitted {
  readonly signal: AbortSignal;
  endTurn: () => void;
}

/**
 * Creates the gate in front of the management API, which acts before any body is read. The gate identifies the caller (401, or 429 after
 * many failures), notes from which network it came, limits the questions of a caller and of a tenant (429), lets each question wait for its turn, and aborts a question's
 * work when its client leaves. The guard of the route authenticates again and checks the role.
 */
export function createAdmission({
  identify,
  keyUses,
  leaving,
  metrics,
  questionsAtOnce,
}: AdmissionOptions): RequestGate {
  const turns = createTurns({ atOnce: questionsAtOnce });
  const open = new Map<string, number>();
  const admitted = new WeakMap<IncomingMessage, Admitted>();
  const refused = metrics.counter(
    'rescind_questions_refused_total',
    'Questions refused with 429, by whose bound was reached.',
    ['bound'],
  );
  for (const bound of ['caller', 'tenant', 'turn']) refused.inc({ bound }, 0);
  metrics.observed('rescind_questions', 'Questions that run or wait for their turn.', ['state'], () => [
    [{ state: 'running' }, turns.running],
    [{ state: 'waiting' }, turns.waiting],
  ]);

  function refuse(bound: 'caller' | 'tenant', most: number): never {
    refused.inc({ bound });
    throw new RescindError('too-many-requests', {
      detail: `a ${bound} may ask ${most} questions at the same time; ask again when one is answered`,
    });
  }

  /** Counts the question until its answer has been sent completely. */
  function takePlace(caller: { readonly id: string; readonly tenant: string }, res: ServerResponse): void {
    const keys = [`caller ${caller.tenant} ${caller.id}`, `tenant ${caller.tenant}`] as const;
    if ((open.get(keys[0]) ?? 0) >= MAX_QUESTIONS_A_CALLER) refuse('caller', MAX_QUESTIONS_A_CALLER);
    if ((open.get(keys[1]) ?? 0) >= MAX_QUESTIONS_A_TENANT) refuse('tenant', MAX_QUESTIONS_A_TENANT);
    for (const key of keys) open.set(key, (open.get(key) ?? 0) + 1);
    res.once('close', () => {
      for (const key of keys) {
        const left = open.get(key)! - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      }
    });
  }

  return {
    guards: (route) => route === '/v1' || route.startsWith('/v1/'),

    async enter({ raw, ip, asks }: Arriving, res) {
      const { caller, key } = identified(await identify(raw, ip));
      if (key !== undefined || caller.person !== undefined) keyUses.note({ caller, key, address: ip });
      if (asks === undefined) return;
      takePlace(caller, res);
      const left = new AbortController();
      const own: Admitted = { signal: left.signal, endTurn: () => undefined };
      admitted.set(raw, own);
      res.once('close', () => {
        if (!res.writableFinished) left.abort();
        own.endTurn();
      });
      // A report has connections of its own, and keeps one for as long as its reader reads.
      if (asks === 'report') return;
      try {
        own.endTurn = await turns.take(caller, left.signal);
      } catch (error) {
        refused.inc({ bound: 'turn' });
        throw error;
      }
      if (left.signal.aborted) own.endTurn();
    },

    within(raw, next) {
      const own = admitted.get(raw);
      if (own === undefined) next();
      else leaving.within(own.signal, next);
    },

    answered: (raw) => admitted.get(raw)?.endTurn(),
  };
}
