import type { Pool } from 'pg';
import type { TokenIssued } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import { findForeignTokens } from '../../projections/index.js';
import { isOpen, type Item } from './submission.js';

/** Refuses events that name another issuer's token. A digest belongs to the issuer that announced it first. */
export async function refuseForeignTokens(pool: Pool, state: ControlState, items: readonly Item[]): Promise<void> {
  const announced = items
    .filter(isOpen)
    .filter(({ judged }) => judged.name === 'token.issued')
    .map((item) => ({
      item,
      tenant: item.judged.source.tenant,
      tenantKey: state.tenant(item.judged.source.tenant)!.key,
      data: item.judged.event.data as TokenIssued,
    }));
  const detail = 'another issuer has announced a token with this digest';
  for (const { item } of await findForeignTokens(pool, announced))
    item.refusal = { code: 'token-of-another-issuer', detail };
}
