import { RescindError } from '../../contracts/index.js';
import type { Caller, ControlFollower, ControlLog, ControlRecord, IssuerClient, NewControlRecord, Tenant } from '../../control/index.js';
import { MAX_LINEAGE_AGE_S, type Selector, type TokenRef } from '../../rules/index.js';
import type { RuleReader } from './rule-reader.pg.js';
import { ruleRecord } from './rule-record.js';
import { createUnknownTokens } from './unknown-tokens.js';

const REASON = 'revoked by its own client';

/** A token that a client wants revoked. */
export interface OwnToken {
  readonly ref: TokenRef;
  /** Whether its event has arrived. */
  readonly recorded: boolean;
  /** Undefined: that will show when its event arrives. */
  readonly issuedTo: IssuerClient | undefined;
}

/** `revoked`: in force. `not-own`: issued to another client. `full`: too many of the caller's tokens are unknown. */
export type OwnOutcome = 'revoked' | 'not-own' | 'full';

/**
 * RFC 7009 for one caller: stops the token if it was issued to one of the caller's (issuer, client) pairs, and with it what
 * came of it, since a rule on a token matches every lineage that holds it. `revoked` resolves when it is in force
 * everywhere. Rejects with `RescindError` when that cannot be said; the same call again waits again.
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

  /** A token revoked again has its rule already: the key makes the repetition wait for that one, not add another. */
  async function commit(tenant: Tenant, key: readonly string[], records: readonly NewControlRecord[]): Promise<'revoked'> {
    const appended = await controlLog.append({ records, once: { key, content: '' } });
    await follower.whenInForce(appended.lastSeq, tenant.id);
    if (!appended.replayed) return 'revoked';
    const earlier = await controlLog.readRange(appended.firstSeq, appended.lastSeq);
    if (earlier.every((record) => holds(tenant, record))) return 'revoked';
    const { lastSeq } = await controlLog.append({ records });
    await follower.whenInForce(lastSeq, tenant.id);
    return 'revoked';
  }

  /** A block may have been lifted since, or have ended: then it is ordered anew. A `revoke` is dropped only when its token is dead. */
  function holds(tenant: Tenant, record: ControlRecord): boolean {
    if (record.kind !== 'rule.ordered' || record.body.effect === 'revoke') return true;
    const rule = tenant.rules.get(record.subject);
    return rule !== undefined && (rule.until === undefined || rule.until > now() / 1000);
  }

  /** Its recording has a lower seq than the rule, so as of now it falls whatever its times say. */
  function revokeRecorded(tenant: Tenant, caller: Caller, ref: TokenRef): Promise<'revoked'> {
    const record = ruleRecord(tenant, { caller: caller.id }, { selector: { token: ref } }, { effect: 'revoke', reauthenticate: false, reason: REASON });
    return commit(tenant, ['revoke-own', tenant.id, ...Object.values(ref)], [record]);
  }

  /**
   * Its recorded times are still to come, and an issuer's clock that runs ahead would carry it past a moment. So it is
   * blocked for the age of the oldest lineage, as long as it can live; then the block's end makes it a `revoke`.
   */
  function blockUnrecorded(tenant: Tenant, caller: Caller, ref: TokenRef, clients: readonly IssuerClient[] | undefined): Promise<'revoked'> {
    const until = Math.floor(now() / 1000) + MAX_LINEAGE_AGE_S;
    const told = { effect: 'block', until, reauthenticate: false, reason: REASON } as const;
    const [client, ...others] = clients ?? [];
    const selector: Selector = client ? { token: ref, client } : { token: ref };
    const records = [ruleRecord(tenant, { caller: caller.id }, { selector, ...(others.length > 0 ? { or: { client: others } } : {}) }, told)];
    const pairs = clients?.flatMap(({ iss, client_id: clientId }) => [iss, clientId]) ?? [];
    return commit(tenant, ['revoke-own-unrecorded', tenant.id, caller.id, JSON.stringify([ref, pairs])], records);
  }

  return async (caller, { ref, recorded, issuedTo }) => {
    const tenant = follower.state.tenant(caller.tenant);
    const own = caller.roles['revoke-own']?.clients ?? [];
    if (!tenant || own.length === 0) throw new RescindError('forbidden');
    if (issuedTo) {
      if (!own.some(({ iss, client_id: clientId }) => iss === issuedTo.iss && clientId === issuedTo.client_id)) return 'not-own';
      return recorded ? revokeRecorded(tenant, caller, ref) : blockUnrecorded(tenant, caller, ref, undefined);
    }
    const release = await unknownTokens.take(caller, ref, own.length);
    if (!release) return 'full';
    try {
      // Takes effect only if the token turns out to belong to one of these.
      return await blockUnrecorded(tenant, caller, ref, own);
    } finally {
      release();
    }
  };
}
