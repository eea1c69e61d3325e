import type { Pool } from 'pg';
import { COUNTING_TIMEOUT_MS, createAsk } from '../projections/index.js';
import type { Selector } from '../rules/index.js';
import type { Control } from './control.js';
import { findHit } from './decide/hit.pg.js';
import { findMembers, type Members } from './names/members.pg.js';
import { countRights } from './rights/rights.pg.js';

/** Numbers that a rule would hit if it were ordered now. */
export interface Preview {
  /** Number of ledger entries: entries with a lower index are counted. */
  readonly as_of: { readonly index: string };
  /** Live tokens, whether or not another rule already stops them. */
  readonly tokens: number;
  /** Tokens among them with an access in the last hour. */
  readonly used_in_last_hour: number;
  /** Users. A user with a name at a RAS and one at the IdP counts once. */
  readonly users: number;
  readonly grants: number;
  readonly connections: number;
  /** Set if a step reached its bound: the numbers are lower bounds. Absent if they are exact. */
  readonly at_least?: true;
}

/** The part of an order that decides what it hits. */
export interface Previewed {
  readonly selector: Selector;
  /** Epoch seconds. Absent: whatever was granted until now. */
  readonly before?: number;
  readonly reauthenticate: boolean;
}

export interface PreviewReader {
  /** `skew`: the largest of the tenant's sources, in seconds. Rejects with `filter-too-wide` if it takes too long. */
  read(tenant: PreviewTenant, order: Previewed, skew: number): Promise<Preview>;
}

interface PreviewTenant {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Creates the reader of previews. `now` is a clock in epoch milliseconds. */
export function createPreviewReader({
  pool,
  now,
  skew: skewOf,
}: Pick<Control, 'skew'> & { readonly pool: Pool; readonly now: () => number }): PreviewReader {
  const ask = createAsk({ pool, now: () => Math.floor(now() / 1000) });
  return {
    read: (tenant, { selector, before, reauthenticate }, maxSkew) =>
      ask(
        tenant.id,
        async (snapshot, members: Members) => {
          const control = { tenantKey: () => tenant.key, skew: skewOf };
          const hit = await findHit(
            snapshot,
            control,
            selector,
            members,
            before === undefined ? undefined : { at: before, reauthenticate, maxSkew },
          );
          const rights = await countRights(snapshot, selector, members, hit.keys);
          return {
            as_of: { index: String(snapshot.index) },
            tokens: rights.tokens,
            used_in_last_hour: rights.usedInLastHour,
            users: rights.users,
            grants: rights.grants,
            connections: rights.connections,
            ...(hit.atLeast || rights.atLeast ? { at_least: true } : {}),
          };
        },
        undefined,
        {
          early: (early) => findMembers(early, tenant.key, selector),
          plans: 'generic',
          timeoutMs: COUNTING_TIMEOUT_MS,
          tooLong: (seconds) => `the preview took longer than ${seconds} s: name more members in the selector`,
        },
      ),
  };
}
