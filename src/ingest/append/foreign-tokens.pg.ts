import type { Pool } from 'pg';
import type { TokenIssued } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import { findForeignTokens } from '../../projections/index.js';
import type { LateRefusals } from './late-refusals.js';
import { acceptedOf, type Judged, type Submission } from './submission.js';

/** Refuses events that name another issuer's token. A digest belongs to the issuer that announced it first. */
export async function refuseForeignTokens(
  pool: Pool,
  state: ControlState,
  submissions: readonly Submission[],
  refusals: LateRefusals,
): Promise<readonly Submission[]> {
  const announced = acceptedOf(submissions)
    .filter(({ name }) => name === 'token.issued')
    .map((judged) => ({
      judged,
      tenant: judged.source.tenant,
      tenantKey: state.tenant(judged.source.tenant)!.key,
      data: judged.event.data as TokenIssued,
    }));
  const foreign = new Set<Judged>([...(await findForeignTokens(pool, announced))].map(({ judged }) => judged));
  const detail = 'another issuer has announced a token with this digest';
  return refusals.refuse(submissions, foreign, 'token-of-another-issuer', detail);
}
