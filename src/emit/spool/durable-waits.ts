import { RescindError, isErrorCode } from '../../contracts/index.js';
import type { Verdict } from '../transport/transport.js';

/** Says where an event is durable. */
export interface Receipt {
  readonly id: string;
  /** `delivered`: at the other side. `spooled`: on this machine's disk, still to be delivered. */
  readonly state: 'delivered' | 'spooled';
  /** Index in the ledger, a decimal string, if the other side reported it. */
  readonly index?: string;
  /** Present if the other side had the event already. */
  readonly duplicate?: true;
}

interface Wait {
  readonly id: string;
  readonly until: Receipt['state'];
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: RescindError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The callers of `emitDurably` that wait for an event. */
export interface DurableWaits {
  readonly size: number;
  /** Waits for an event. Rejects with `emit-failed` after `timeoutMs`; the producer keeps trying. */
  add(
    seq: number,
    wait: {
      readonly id: string;
      readonly until: Receipt['state'];
      readonly timeoutMs: number;
      readonly why: () => unknown;
    },
  ): Promise<Receipt>;
  settle(seq: number, verdict: Verdict): void;
  spooledUpTo(seq: number): void;
  /** Rejects every remaining wait, or only those for `until`. */
  giveUp(error: RescindError, until?: Receipt['state']): void;
}

export function createDurableWaits(): DurableWaits {
  const waits = new Map<number, Wait>();

  function end(seq: number, act: (wait: Wait) => void): void {
    const wait = waits.get(seq);
    if (wait === undefined) return;
    waits.delete(seq);
    clearTimeout(wait.timer);
    act(wait);
  }

  return {
    get size() {
      return waits.size;
    },
    add: (seq, { id, until, timeoutMs, why }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          const error = new RescindError('emit-failed', {
            detail: `event ${id} is not durable after ${timeoutMs} ms; the producer keeps trying`,
            cause: why(),
          });
          end(seq, (wait) => wait.reject(error));
        }, timeoutMs);
        waits.set(seq, { id, until, resolve, reject, timer });
      }),
    settle(seq, verdict) {
      end(seq, ({ id, resolve, reject }) => {
        if (!verdict.taken) return reject(refusalOf(id, verdict));
        const { index, duplicate } = verdict;
        resolve({
          id,
          state: 'delivered',
          ...(index === undefined ? {} : { index }),
          ...(duplicate === undefined ? {} : { duplicate }),
        });
      });
    },
    spooledUpTo(upTo) {
      for (const [seq, { until }] of waits) {
        if (seq > upTo) return;
        if (until === 'spooled') end(seq, ({ id, resolve }) => resolve({ id, state: 'spooled' }));
      }
    },
    giveUp(error, until) {
      for (const [seq, wait] of waits)
        if (until === undefined || wait.until === until) end(seq, ({ reject }) => reject(error));
    },
  };
}

/** Builds the error of a refusal. A newer Rescind may name a code that is not known here; then the error is `invalid-event`. */
function refusalOf(id: string, { code, detail }: Extract<Verdict, { taken: false }>): RescindError {
  const why = detail === undefined ? '' : `: ${detail}`;
  return new RescindError(isErrorCode(code) ? code : 'invalid-event', {
    detail: `event ${id} was refused (${code})${why}`,
  });
}
