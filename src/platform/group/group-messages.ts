import type { ErrorCode } from '../../contracts/index.js';

/** Facts that a process of a group tells about itself once it listens. */
export type MemberFacts = Readonly<Record<string, unknown>>;

/** One metric with its values, as the registry exports it for another process. */
export type MetricDump = readonly object[];

/** Messages from a member, over the channel that `node:cluster` opens. `id` pairs a question with its answer. */
export type FromMember =
  | { readonly rescind: 'listening'; readonly facts: MemberFacts }
  | { readonly rescind: 'failed'; readonly code: ErrorCode; readonly detail: string | undefined }
  | { readonly rescind: 'collect'; readonly id: number }
  | { readonly rescind: 'dump'; readonly id: number; readonly dump: MetricDump };

export type ToMember =
  | { readonly rescind: 'stop' }
  | { readonly rescind: 'dump'; readonly id: number }
  | { readonly rescind: 'collected'; readonly id: number; readonly dumps: readonly MetricDump[] };

export const isGroupMessage = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'rescind' in message;
