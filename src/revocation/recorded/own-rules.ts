import { RescindError } from '../../contracts/index.js';
import type {
  Caller,
  ControlFollower,
  ControlLog,
  ControlRecord,
  IssuerClient,
  NewControlRecord,
  Tenant,
} from '../../control/index.js';
import { MAX_LINEAGE_AGE_S, type Selector, type TokenRef } from '../../rules/index.js';
import type { RuleReader } from './rule-reader.pg.js';
import { ruleRecord } from './rule-record.js';
import { createUnknownTokens } from './unknown-tokens.js';

const REASON = 'revoked by its own client';

/** A token that a client wants revoked. */
export interface OwnToken {
  readonly ref: TokenRef;
  /** Whether the token's event has arrived. */
  readonly recorded: boolean;
  /** Undefined: unknown until its event arrives. */
  readonly issuedTo: IssuerClient | undefined;
}

/** `revoked`: in force. `not-own`: issued to another client. `full`: the caller has too many unknown tokens. */
export type OwnOutcome = 'revoked' | 'not-own' | 'full';

/**
 * Revokes a token for one caller (RFC 7009): stops the token if it was issued to one of the caller's (issuer, client) pairs, and everything
 * derived from it, because a rule on a token matches every lineage that holds it. `revoked` resolves when the rule is in force everywhere.
 * Rejects with `RescindError` if that cannot be confirmed; the same call again waits again.
 */
export type OrderOwn = (caller: Caller, token: OwnToken) => Promise<OwnOutcome>;

export interface OwnRulesOptions {
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly rules: RuleReader;
  readonly now: () => number;
}

export function createOrderOwn({ controlLog, follower, rules, now }: OwnRulesOptions): OrderOwn {
  const unknownTokens = createUnknownTokens({ follower, rules, now });

  /** Appends the rule. If the token was revoked before, the key makes this call wait for the existing rule instead of adding another. */
  async function commit(
    tenant: Tenant,
    key: readonly string[],
    records: readonly NewControlRecord[],
  ): Promise<'revoked'> {
    const appended = await controlLog.append({ records, once: { key, content: '' } });
    await follower.whenInForce(appended.lastSeq, tenant.id);
    if (!appended.replayed) return 'revoked';
    const earlier = await controlLog.readRange(appended.firstSeq, appended.lastSeq);
    if (earlier.every((record) => holds(tenant, record))) return 'revoked';
    const { lastSeq } = await controlLog.append({ records });
    await follower.whenInForce(lastSeq, tenant.id);
    return 'revoked';
  }

  /**
   * Whether an earlier rule still counts. A block may have been lifted or have ended: then it is ordered again. A `revoke` is dropped
   * only when its token is dead.
   */
  function holds(tenant: Tenant, record: ControlRecord): boolean {
    if (record.kind !== 'rule.ordered' || record.body.effect === 'revoke') return true;
    const rule = tenant.rules.get(record.subject);
    return rule !== undefined && (rule.until === undefined || rule.until > now() / 1000);
  }

  /** Revokes a recorded token. Its recording has a lower seq than the rule, so it is stopped as of the order whatever its times say. */
  function revokeRecorded(tenant: Tenant, caller: Caller, ref: TokenRef): Promise<'revoked'> {
    const record = ruleRecord(
      tenant,
      { caller: caller.id },
      { selector: { token: ref } },
      { effect: 'revoke', reauthenticate: false, reason: REASON },
    );
    return commit(tenant, ['revoke-own', tenant.id, ...Object.values(ref)], [record]);
  }

  /**
   * Blocks a token whose event has not arrived. Its times are unknown, and an issuer's clock that runs ahead would carry the token past the
   * moment of a `revoke`. The block lasts for the greatest age of a lineage, as long as the token can live; its end makes it a `revoke`.
   */
  function blockUnrecorded(
    tenant: Tenant,
    caller: Caller,
    ref: TokenRef,
    clients: readonly IssuerClient[] | undefined,
  ): Promise<'revoked'> {
    const until = Math.floor(now() / 1000) + MAX_LINEAGE_AGE_S;
    const told = { effect: 'block', until, reauthenticate: false, reason: REASON } as const;
    const [client, ...others] = clients ?? [];
    const selector: Selector = client ? { token: ref, client } : { token: ref };
    const records = [
      ruleRecord(
        tenant,
        { caller: caller.id },
        { selector, ...(others.length > 0 ? { or: { client: others } } : {}) },
        told,
      ),
    ];
    const pairs = clients?.flatMap(({ iss, client_id: clientId }) => [iss, clientId]) ?? [];
    return commit(tenant, ['revoke-own-unrecorded', tenant.id, caller.id, JSON.stringify([ref, pairs])], records);
  }

  return async (caller, { ref, recorded, issuedTo }) => {
    const tenant = follower.state.tenant(caller.tenant);
    const own = caller.roles['revoke-own']?.clients ?? [];
    if (!tenant || own.length === 0) throw new RescindError('forbidden');
    if (issuedTo) {
      if (!own.some(({ iss, client_id: clientId }) => iss === issuedTo.iss && clientId === issuedTo.client_id))
        return 'not-own';
      return recorded ? revokeRecorded(tenant, caller, ref) : blockUnrecorded(tenant, caller, ref, undefined);
    }
    const release = await unknownTokens.take(caller, ref, own.length);
    if (!release) return 'full';
    try {
      // Takes effect only if the token turns out to belong to one of these clients.
      return await blockUnrecorded(tenant, caller, ref, own);
    } finally {
      release();
    }
  };
}
