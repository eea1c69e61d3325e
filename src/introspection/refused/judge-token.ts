import type { InactiveReason } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import type { StoredLineage } from '../../projections/index.js';
import { refuseByFacts } from '../examine-token.js';
import { createShared, knowToken } from '../facts/known-token.js';

/** Says what the facts of a recorded token give against it now, whoever asks and whatever its text says: the rule of the hot path, for people. */
export const createTokenJudge =
  ({ state, now }: { readonly state: ControlState /** Epoch milliseconds. */; readonly now: () => number }) =>
  (tenantId: string, lineage: StoredLineage): InactiveReason | undefined => {
    const tenant = state.tenant(tenantId);
    if (!tenant || lineage.tokens.length === 0) return undefined;
    const token = knowToken(lineage, { tenant, shared: createShared({ max: 1 }), memoryKey: '', readAt: 0 });
    return refuseByFacts(state, { tenant, now: now() / 1000 }, token);
  };
