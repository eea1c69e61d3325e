import { setTimeout as delay } from 'node:timers/promises';
import type { GrantAnswer, Lease, Moment } from '../../lease/index.js';
import type { Seq } from '../log/records.js';

/** How often a leaving node checks whether the grants of its guards have ended. */
export const LEAVING_CYCLE_MS = 50;

/** Gives guards the right to answer under this node's lease. A guard MUST use a fresh id at each of its starts. */
export interface Guards {
  /** Grants or refuses a lease. `held`: the seq up to which the guard has applied the log. The guard uses f of the grant, counted from before it asked. */
  grant(id: string, held: Seq, tenant: string): GrantAnswer;
  /** Ends a grant. The guard MUST have stopped using it, and MUST NOT use an answer to an earlier `grant` call. */
  release(id: string): void;
  /** Stops granting; resolves when the last grant has ended. The node itself goes on answering. */
  drain(): Promise<void>;
}

export interface GuardsOptions {
  readonly lease: Lease;
  readonly clock: () => Moment;
  /** Says whether the node's row lacks what the node and its guards have applied. */
  readonly isUnsaid: () => boolean;
  /** Makes the node write its row at once. */
  readonly wake: () => void;
}

export function createGuards({ lease, clock, isUnsaid, wake }: GuardsOptions): Guards {
  return {
    grant(id, held, tenant) {
      const answer = lease.grant(id, held, clock(), tenant);
      // A wait may need exactly the seq that this guard has just applied.
      if ('grantMs' in answer && isUnsaid()) wake();
      return answer;
    },
    release(id) {
      lease.release(id);
      if (isUnsaid()) wake();
    },
    async drain() {
      lease.stopGranting();
      while (lease.guards(clock()) > 0) await delay(LEAVING_CYCLE_MS);
    },
  };
}
