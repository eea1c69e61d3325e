import { LRUCache } from 'lru-cache';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';

/** Why a token is not active. For metrics and findings: no reason ever leaves in an answer (RFC 7662, section 2.2). */
export const REFUSALS = [
  'no-role',
  'malformed',
  'wrong-kind',
  'unknown',
  'unverified',
  'not-allowed',
  'source-refused',
  'mismatch',
  'conflict',
  'not-yet-valid',
  'expired',
  'lifetime-too-long',
  'lineage-missing',
  'lineage-incomplete',
  'lineage-broken',
  'lineage-contradictory',
  'lineage-too-old',
  'too-many-values',
  'stopped-by-rule',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Outcomes of a call. The last four are not answers about a token. */
export type Outcome = 'active' | Refusal | 'undecided' | 'unauthenticated' | 'invalid-request' | 'too-large';
const OUTCOMES: readonly Outcome[] = [
  'active',
  ...REFUSALS,
  'undecided',
  'unauthenticated',
  'invalid-request',
  'too-large',
];

/** Somebody states something false of a token: told to the operator, once a text. */
export const FINDINGS: ReadonlySet<Refusal> = new Set<Refusal>([
  'mismatch',
  'conflict',
  'lineage-contradictory',
  'lineage-broken',
]);

/** Texts whose finding was told; beyond it one may be told again. */
const MAX_TOLD = 10_000;

export interface RefusalContext {
  readonly tenant: string;
  readonly caller: string;
  /** SHA-256 of the text. */
  readonly digest: string;
  /** Id of the source that recorded the token, and the member that differs. */
  readonly source?: string | undefined;
  readonly member?: string | undefined;
}

export interface Recorder {
  count(outcome: Outcome): void;
  /** Counts and, for a finding, tells. */
  refused(refusal: Refusal, context: RefusalContext): void;
}

export function createRecorder({ metrics, log }: { metrics: Metrics; log: Log }): Recorder {
  const counter = metrics.counter('rescind_introspections_total', 'Introspection calls by what became of them', [
    'outcome',
  ]);
  const findings = metrics.counter(
    'rescind_introspection_findings_total',
    'Tokens about which two parties state different things',
    ['finding'],
  );
  // An alert on the increase of a series does not see the value that the series appears with.
  for (const finding of FINDINGS) findings.inc({ finding }, 0);
  const counters = new Map(OUTCOMES.map((outcome) => [outcome, counter.labels({ outcome })]));
  const told = new LRUCache<string, true>({ max: MAX_TOLD });

  function count(outcome: Outcome): void {
    counters.get(outcome)!.inc();
  }
  return {
    count,
    refused(refusal, { tenant, caller, digest, source, member }) {
      count(refusal);
      if (!FINDINGS.has(refusal)) return;
      const name = `${refusal}|${tenant}|${digest}`;
      if (told.has(name)) return;
      told.set(name, true);
      findings.labels({ finding: refusal }).inc();
      log.warn(
        { finding: refusal, tenant, caller, sha256: digest, source, member },
        'a token is inactive because its text or its lineage differs from the recorded facts',
      );
    },
  };
}
