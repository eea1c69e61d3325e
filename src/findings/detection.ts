import type { Severity } from '../contracts/index.js';
import type { Snapshot } from '../projections/index.js';
import type { Control } from './control.js';

export { SEVERITIES, type Severity } from '../contracts/index.js';

/** Kinds of findings, in the order of the catalogue. Never rename one: filters and channels name them. */
export const KINDS = [
  'use-after-rule',
  'issued-while-disabled',
  'token-from-two-networks',
  'token-of-another-client',
  'bulk-export',
  'scopes-grew',
  'use-after-silence',
  'new-at-sensitive-resource',
  'refusals',
  'second-hop',
  'id-jag-replayed',
  'source-trouble',
  'lineage-trouble',
  'long-lived-token',
  'idle-rule',
  'administration',
] as const;
export type Kind = (typeof KINDS)[number];

/** Days after which a ledger knows what is usual, and who is new, unless the configuration says otherwise. */
export const LEARNS_DAYS = 3;

/** Holds what detections know of the entries before a step, beside the days of uses. Each detection bounds what it keeps. */
export interface Memory {
  /** Reads what a detection kept in earlier steps, by key. */
  read<T>(kind: Kind): Promise<ReadonlyMap<string, T>>;
  /** Keeps a value, from the end of the step on; null forgets the key. */
  keep(kind: Kind, key: string, state: object | null): void;
}

/** Tokens of the uses of a step that are a second hop, and for each the client at the IdP, if it is known. */
export type Hops = readonly [tokens: readonly Buffer[], idpClients: readonly (number | null)[]];

/** Entries from index `from` up to but not including `to`, which the detections read together. */
export interface Step {
  readonly tenant: string;
  readonly from: bigint;
  readonly to: bigint;
  /** Arrival of the newest entry below `to`, epoch milliseconds: the time as the ledger knows it. */
  readonly nowMs: number;
  /** The same below `from`; 0 if there is none. */
  readonly beforeMs: number;
  readonly control: Control;
  /** Days after which the ledger knows what is usual. */
  readonly learnsDays: number;
  /** Reads in the transaction of the step. */
  readonly snapshot: Snapshot;
  readonly memory: Memory;
  readonly hops: Hops;
}

/** Evidence of a step about one subject. */
export interface Evidence {
  readonly [column: string]: unknown;
  /** Names the subject of the finding, one of its kind and tenant. */
  readonly subject: string;
  readonly usr?: number | null;
  readonly client?: number | null;
  readonly agent?: number | null;
  readonly res?: number | null;
  /** Key of a token, hexadecimal. */
  readonly tok?: string | null;
  readonly source?: string | null;
  readonly count: number | string;
  /** Epoch seconds of the events. */
  readonly first_at: number | string;
  readonly last_at: number | string;
  readonly entries: readonly (number | string)[];
  /** Says of a condition that it ended within the step. */
  readonly ended?: boolean;
  /** Values that the sentence of the finding shows. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Members of the smallest selector that stops what was found, in the order of preference: the first list whose names are all known. */
export type Stop = readonly (readonly ('token' | 'user' | 'client' | 'agent' | 'resource')[])[];

/** The values of a finding that its texts show. */
export interface Shown {
  readonly count: number;
  readonly user: string;
  readonly client: string;
  readonly resource: string;
  readonly source: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One detection: what it looks for, and what it tells people. */
export interface Detection {
  readonly kind: Kind;
  readonly severity: Severity;
  /** Says in one sentence what the finding means. */
  readonly means: string;
  /** Says what to do next. */
  readonly next: string;
  /** Says threshold and window. */
  readonly looks: string;
  readonly stop: Stop;
  /** Details that name networks or addresses of clients, each with the words that stand for it where they are not shown. */
  readonly networks?: Readonly<Record<string, string>>;
  /** Says what was found. */
  says(shown: Shown): string;
  /** Path of the question that shows the evidence, after `/v1/`. */
  readonly see: 'access' | 'token' | 'coverage' | 'changes' | 'rule' | 'entries';
  /**
   * Finds what the entries of a step show. A condition finds what holds at the end of the step, and with `ended` what held within it and no longer
   * does: a finding of its kind that an answer leaves out has ended. However the ledger is cut into steps, the same comes out.
   */
  find(step: Step): Promise<readonly Evidence[]>;
  readonly isCondition?: true;
}
