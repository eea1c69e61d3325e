import type { ControlFollower } from '../control/index.js';
import type { HotHandler } from '../platform/http/index.js';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import type { LineageReader } from '../projections/index.js';
import type { Authenticator, KeySets } from '../registry/index.js';
import { createAuthorizeRequest } from './http/authorize-request.js';
import { createCounts, type OnCounts } from './counts.js';
import { createEndpoint } from './http/endpoint.js';
import { createIdJagExaminer } from './examine-id-jag.js';
import { createTokenExaminer } from './examine-token.js';
import { createFacts } from './facts/facts.js';
import { createIntrospect, type Introspect } from './introspect.js';
import { createTokenJudge } from './refused/judge-token.js';
import { createRecorder } from './outcomes.js';
import { createRecordings, type OnSeen } from './recordings.js';
import { createRemoteAddress, type RemoteAddress } from './http/remote-address.js';
import { createRefusedTokens, type OnRefused } from './refused/refused-tokens.js';
import { createTokenVerifier, type TokenVerifier } from './jwt/token-verifier.js';

export interface IntrospectionOptions {
  /** The state to decide from, and whether it may be decided from now. */
  readonly follower: Pick<ControlFollower, 'state' | 'isCurrent'>;
  readonly authenticate: Authenticator;
  readonly keySets: KeySets;
  readonly lineage: LineageReader;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Takes introspections counted by token and caller, every minute and at the end. Absent: they are not counted. */
  readonly onCounts?: OnCounts;
  /** Takes why recorded tokens were refused, every second and at the end. Absent: that is not counted. */
  readonly onRefused?: OnRefused;
  /** Records tokens that no event announced, for sources that ask for no event. Absent: such tokens are inactive. */
  readonly onSeen?: OnSeen;
  /** Finds the address that a request comes from. Default: its peer. */
  readonly remoteAddress?: RemoteAddress;
  /** Tokens whose facts stay in memory, and as many JWTs whose signature was verified. */
  readonly maxTokens?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: () => number;
}

export interface Introspection {
  /** `POST /introspect`, to be dispatched in front of the framework. */
  readonly handle: HotHandler;
  /** `/authorize-request` and what lies below it: the same decision for a proxy. */
  readonly authorizeRequest: HotHandler;
  /** The same question without HTTP around it. */
  readonly introspect: Introspect;
  /** The same decision within the bounds of the role `guard`; with an active answer, what its guard may keep. */
  readonly sight: Introspect;
  /** Identifies a presented token for RFC 7009. It shares this node's memory of signatures. */
  readonly verifier: TokenVerifier;
  /** Says what the facts of a recorded token give against it now. */
  readonly judge: ReturnType<typeof createTokenJudge>;
  /** Hands on what was counted last. After the server is closed, before what takes it is. */
  stop(): Promise<void>;
}

export function createIntrospection(options: IntrospectionOptions): Introspection {
  const {
    follower,
    authenticate,
    keySets,
    lineage,
    metrics,
    log,
    onCounts,
    onRefused,
    onSeen,
    maxTokens,
    now = Date.now,
    monotonic,
  } = options;
  const { remoteAddress = createRemoteAddress({ trustedProxy: false }) } = options;
  const { state } = follower;
  const counts = createCounts({ onCounts, metrics, log });
  const refusedTokens = createRefusedTokens({ onRefused, log });
  const recorder = createRecorder({ metrics, log });
  const facts = createFacts({ lineage, maxTokens, monotonic });
  const verifier = createTokenVerifier({ state, keySets, maxTokens });
  const introspect = createIntrospect({
    follower,
    facts,
    verifier,
    examineToken: createTokenExaminer({ state, facts, verifier, recordsSights: onSeen !== undefined }),
    examineIdJag: createIdJagExaminer({ state, verifier }),
    recorder,
    counts,
    refusedTokens,
    recordings: createRecordings({ onSeen: onSeen ?? (async () => false), monotonic }),
    log,
    now,
    monotonic,
  });
  return {
    handle: createEndpoint({ introspect, authenticate, recorder, remoteAddress }),
    authorizeRequest: createAuthorizeRequest({ introspect, authenticate, metrics, remoteAddress }),
    introspect,
    sight: (presented) => introspect({ ...presented, role: 'guard' }),
    verifier,
    judge: createTokenJudge({ state, now }),
    stop: async () => void (await Promise.all([counts.stop(), refusedTokens.stop()])),
  };
}
