import { ID_JAG_TOKEN_TYPE, type InactiveReason, isInactiveReason, sha256 } from '../contracts/index.js';
import type { ControlFollower, Tenant } from '../control/index.js';
import { ruleKey, tokenParts, tokenRef } from '../rules/index.js';
import { TooManyWaiting } from '../platform/bounds/index.js';
import { type Log } from '../platform/log/index.js';
import type { Authentication, Refusal as AuthenticationRefusal } from '../registry/index.js';
import type { Counts } from './counts.js';
import type { ExamineIdJag } from './examine-id-jag.js';
import type { ExamineToken } from './examine-token.js';
import { createGathering, type GatheringOptions, type Lacking } from './gathering.js';
import type { Recorder, Refusal } from './outcomes.js';
import { referenceOf } from './facts/known-token.js';
import type { About, Gathered } from './question.js';
import type { RefusedToken, RefusedTokens } from './refused/refused-tokens.js';
import { sightOf, type Sight } from './sight.js';

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

export interface IntrospectOptions extends GatheringOptions {
  readonly follower: Pick<ControlFollower, 'state' | 'isCurrent'>;
  readonly examineToken: ExamineToken;
  readonly examineIdJag: ExamineIdJag;
  readonly recorder: Recorder;
  readonly counts: Counts;
  readonly refusedTokens: RefusedTokens;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export function createIntrospect(options: IntrospectOptions): Introspect {
  const { follower, examineToken, examineIdJag, recorder, counts, refusedTokens, log, now } = options;
  const { state } = follower;
  const gathering = createGathering(options);

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
        const overdue = await gathering.fetch(pending, gathered, digest);
        if (overdue) return refuseUnseen(overdue, pending, gathered, digest);
        if (registryVersion !== state.registryVersion) gathered.unverified = false;
        const answer = decide(presented, digest, gathered);
        if (answer.kind !== 'pending') return answer;
        pending = answer;
      }
    } catch (error) {
      if (!(error instanceof TooManyWaiting))
        log.error({ err: error }, 'cannot read or record the facts of a token; answering 503');
    } finally {
      gathering.end(first.caller, gathered);
    }
    return undecided();
  }

  /** Refuses a token for which nobody can wait any longer. */
  function refuseUnseen(refusal: Refusal, { question, caller }: Pending, { token }: Gathered, digest: string): Answer {
    const { tenant } = question;
    recorder.refused(refusal, { tenant: tenant.id, caller: caller.id, digest });
    if (token && isCounted(refusal)) refusedTokens.record(refusedTokenOf(tenant, refusal, { token }), now());
    return DECIDED_INACTIVE;
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

interface Pending extends Lacking {
  readonly kind: 'pending';
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
