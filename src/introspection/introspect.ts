import { setTimeout as delay } from 'node:timers/promises';
import { ID_JAG_TOKEN_TYPE, isInactiveReason, type InactiveReason } from '../contracts/index.js';
import type { Caller, ControlFollower, Tenant } from '../control/index.js';
import { ruleKey, tokenParts, tokenRef } from '../rules/index.js';
import { createRestraint, TooManyWaiting, type RestraintLimits } from '../platform/bounds/index.js';
import { type Log } from '../platform/log/index.js';
import type { Authentication, Refusal as AuthenticationRefusal } from '../registry/index.js';
import type { Counts } from './counts.js';
import type { ExamineIdJag } from './examine-id-jag.js';
import type { ExamineToken } from './examine-token.js';
import type { Facts } from './facts/facts.js';
import { sha256 } from './jwt/jws.js';
import type { Recorder, Refusal } from './outcomes.js';
import { referenceOf } from './facts/known-token.js';
import type { About, Gathered, Need, Question } from './question.js';
import type { Recordings } from './recordings.js';
import type { RefusedToken, RefusedTokens } from './refused/refused-tokens.js';
import { sightOf, type Sight } from './sight.js';
import type { TokenVerifier } from './jwt/token-verifier.js';

/** Milliseconds to wait before each further look for a token not yet seen. */
const POLL_AFTER_MS = [20, 30, 50, 100] as const;

/** Questions of one caller that wait for facts at the same time; more are answered without waiting. */
const MAX_WAITERS = 256;

/** Limits of one caller for tokens that turn out not to be recorded. */
const LOOK_UPS: RestraintLimits = {
  burst: 1_000,
  perSecond: 1_000,
  maxQueued: 2_000,
  maxWaitMs: 2_000,
};

/**
 * Limits of one caller for signatures that turn out forged. Recorded tokens have limits of their own, which only texts under
 * the identity of a recorded token can use up.
 */
const SIGNATURES: RestraintLimits = { burst: 64, perSecond: 100, maxQueued: 2_000, maxWaitMs: 2_000 };

/** Rounds of fetching for one question. More than a question can need, unless the registry changes under it all the time. */
const MAX_ROUNDS = 16;

/** RFC 7662, section 2.2: nothing beside `active`, so that every inactive answer is the same bytes. */
export const INACTIVE = '{"active":false}';

export interface Presented {
  readonly token: string;
  readonly hint: string | undefined;
  /** Says who asks, as of now. Called again after each wait: a caller is good or not as of the answer. */
  readonly authenticate: () => Authentication;
  /** The role within whose bounds is judged: `introspect`, unless it is said. */
  readonly role?: 'guard';
  /** The token was presented for access to a resource: a refresh token is inactive. A guard's questions always are. */
  readonly forAccess?: true;
}

export type Answer =
  /**
   * `bytes` is the length of the body in UTF-8. `sight`: what a guard that asks is told beside an active answer. `recorded`: a guard
   * asks about an inactive token that is on record for its resources.
   */
  | {
      readonly kind: 'decided';
      readonly body: string;
      readonly bytes: number;
      readonly sight?: Sight;
      readonly recorded?: true;
    }
  /** Nobody can tell now; the caller must take the token as inactive and may ask again. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'unauthenticated'; readonly refusal: AuthenticationRefusal }
  /** An authenticated caller that may not ask at all. */
  | { readonly kind: 'no-role' };

/** Answers at once from memory; a promise only where something has to be fetched. Never rejects. */
export type Introspect = (presented: Presented) => Answer | Promise<Answer>;

export interface IntrospectOptions {
  readonly follower: Pick<ControlFollower, 'state' | 'isCurrent'>;
  readonly facts: Facts;
  readonly verifier: TokenVerifier;
  readonly examineToken: ExamineToken;
  readonly examineIdJag: ExamineIdJag;
  readonly recorder: Recorder;
  readonly counts: Counts;
  readonly refusedTokens: RefusedTokens;
  readonly recordings: Recordings;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward, by which a caller's bounds fill up again. */
  readonly monotonic?: (() => number) | undefined;
}

export function createIntrospect(options: IntrospectOptions): Introspect {
  const {
    follower,
    facts,
    verifier,
    examineToken,
    examineIdJag,
    recorder,
    counts,
    refusedTokens,
    recordings,
    log,
    now,
    monotonic,
  } = options;
  const { state } = follower;
  /** Questions that wait, by caller. */
  const waiters = new Map<string, number>();
  const lookUps = createRestraint(LOOK_UPS, monotonic);
  const signaturesOfRecorded = createRestraint(SIGNATURES, monotonic);
  const signaturesOfOthers = createRestraint(SIGNATURES, monotonic);

  /** The whole decision, in one synchronous step: lease, caller, facts, rules. It begins from no. */
  function decide(presented: Presented, digest: string, gathered: Gathered): Answer | Pending {
    if (!follower.isCurrent()) return undecided();
    const { caller, refusal } = presented.authenticate();
    if (refusal) return unauthenticated(refusal);
    const tenant = state.tenant(caller.tenant);
    const role = caller.roles[presented.role ?? 'introspect'];
    if (!tenant || !role) return noRole();

    const question = {
      tenant,
      role,
      atResource: presented.role === 'guard' || presented.forAccess === true,
      text: presented.token,
      digest,
      now: now() / 1000,
    };
    const examine = presented.hint === ID_JAG_TOKEN_TYPE ? examineIdJag : examineToken;
    const examination = examine(question, gathered);
    if (examination.need) return { kind: 'pending', need: examination.need, question, caller };
    if (examination.known) counts.count(examination.known, caller.id, examination.body !== undefined, question.now);
    if (examination.refusal) {
      const about = examination.about ?? (examination.known && { token: examination.known });
      recorder.refused(examination.refusal, {
        tenant: tenant.id,
        caller: caller.id,
        digest,
        source: about?.token.common.source,
        member: about?.member,
      });
      if (about && isCounted(examination.refusal))
        refusedTokens.record(refusedTokenOf(tenant, examination.refusal, about), now());
      const isOwn = examination.known !== undefined && !NOT_OWN.has(examination.refusal);
      return presented.role === 'guard' && isOwn ? DECIDED_RECORDED : DECIDED_INACTIVE;
    }
    recorder.count('active');
    const { body, bytes } = examination;
    if (presented.role === 'guard')
      return { kind: 'decided', body, bytes, sight: sightOf(examination.known, state.head, question.now) };
    return { kind: 'decided', body, bytes };
  }

  async function gather(presented: Presented, digest: string, gathered: Gathered, first: Pending): Promise<Answer> {
    let pending = first;
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const registryVersion = state.registryVersion;
        const final = await fetch(pending, gathered, digest);
        if (final) return final;
        if (registryVersion !== state.registryVersion) gathered.unverified = false;
        const answer = decide(presented, digest, gathered);
        if (answer.kind !== 'pending') return answer;
        pending = answer;
      }
    } catch (error) {
      if (!(error instanceof TooManyWaiting))
        log.error({ err: error }, 'cannot read or record the facts of a token; answering 503');
    } finally {
      if (gathered.polls > 0) leaveWaiting(first.caller);
    }
    return undecided();
  }

  /** Fetches what is needed, in the caller's turn. An answer only where waiting is over. */
  async function fetch(
    { need, question, caller }: Pending,
    gathered: Gathered,
    digest: string,
  ): Promise<Answer | undefined> {
    const { tenant } = question;
    switch (need.what) {
      case 'token':
        gathered.token = (await lookUps.run(caller.id, () => facts.token(tenant, need.key, need.memoryKey))) ?? null;
        return undefined;
      case 'id-jag':
        // Its signature was good: whether it is recorded says nothing about the caller.
        gathered.idJag = (await facts.idJag(tenant, need.key)) ?? null;
        return undefined;
      case 'signature': {
        const signatures = gathered.token ? signaturesOfRecorded : signaturesOfOthers;
        gathered.unverified =
          (await signatures.run(caller.id, () => verifier.verify(tenant, need.jws, digest, need.use))) === undefined;
        return undefined;
      }
      case 'time':
        if (await waitForNextPoll(caller, gathered)) {
          gathered.token = (await lookUps.run(caller.id, () => facts.token(tenant, need.key, need.memoryKey))) ?? null;
          return undefined;
        }
        gathered.waited = true;
        if (need.otherwise === undefined) return undefined;
        recorder.refused(need.otherwise, { tenant: tenant.id, caller: caller.id, digest });
        if (gathered.token && isCounted(need.otherwise))
          refusedTokens.record(refusedTokenOf(tenant, need.otherwise, { token: gathered.token }), now());
        return DECIDED_INACTIVE;
      case 'record':
        gathered.recorded = await recordings.record({ tenant, key: need.key, data: need.facts }, caller.id);
        // The first record counts, even if it is an event that came meanwhile.
        gathered.token = (await facts.token(tenant, need.key, need.memoryKey)) ?? null;
        return undefined;
      default:
        return need satisfies never;
    }
  }

  /** False when there is nothing more to wait for, or too many questions of this caller wait already. */
  async function waitForNextPoll({ id }: Caller, gathered: Gathered): Promise<boolean> {
    const waitMs = POLL_AFTER_MS[gathered.polls];
    if (waitMs === undefined) return false;
    if (gathered.polls === 0) {
      const waiting = waiters.get(id) ?? 0;
      if (waiting >= MAX_WAITERS) return false;
      waiters.set(id, waiting + 1);
    }
    gathered.polls++;
    await delay(waitMs);
    return true;
  }

  function leaveWaiting({ id }: Caller): void {
    waiters.set(id, waiters.get(id)! - 1);
  }

  function undecided(): Answer {
    recorder.count('undecided');
    return UNDECIDED;
  }

  function unauthenticated(refusal: AuthenticationRefusal): Answer {
    recorder.count('unauthenticated');
    return { kind: 'unauthenticated', refusal };
  }

  function noRole(): Answer {
    recorder.count('no-role');
    return NO_ROLE;
  }

  return (presented) => {
    const digest = sha256(presented.token);
    const gathered: Gathered = { polls: 0 };
    try {
      const answer = decide(presented, digest, gathered);
      return answer.kind === 'pending' ? gather(presented, digest, gathered, answer) : answer;
    } catch (error) {
      log.error({ err: error }, 'an introspection failed; answering 503');
      return undecided();
    }
  };
}

interface Pending {
  readonly kind: 'pending';
  readonly need: Need;
  readonly question: Question;
  readonly caller: Caller;
}

const DECIDED_INACTIVE: Answer = { kind: 'decided', body: INACTIVE, bytes: INACTIVE.length };
const DECIDED_RECORDED: Answer = { ...DECIDED_INACTIVE, recorded: true };
/** Refusals of a text that is no token for the caller's resources, whatever is recorded. */
const NOT_OWN: ReadonlySet<Refusal> = new Set<Refusal>(['not-allowed', 'wrong-kind', 'source-refused']);
/** Refusals that a source's operator can do something about: a token that has expired or was stopped is as it should be. */
const isCounted = (refusal: Refusal): refusal is InactiveReason & Refusal =>
  isInactiveReason(refusal) && refusal !== 'expired' && refusal !== 'stopped-by-rule';

const refusedTokenOf = ({ id, key }: Tenant, reason: InactiveReason, { token, member = '' }: About): RefusedToken => ({
  tenant: id,
  source: token.common.source,
  reason,
  member,
  token: ruleKey(key, 'token', tokenParts(tokenRef({ iss: token.common.iss, ...referenceOf(token) }))),
});

const UNDECIDED: Answer = { kind: 'undecided' };
const NO_ROLE: Answer = { kind: 'no-role' };
