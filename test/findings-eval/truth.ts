import type { SeedEvent } from '../../src/seed/index.js';
import type { Kind } from './kinds.js';

/** One planted incident. Times are epoch seconds. */
export interface Incident {
  readonly kind: Kind;
  /** The deed in words, for the list of what was missed. */
  readonly deed: string;
  /** Names by which a finding may call it: any one list, all of whose names the finding has. Names are unique in the organisation. */
  readonly named: readonly (readonly string[])[];
  readonly first: number;
  readonly last: number;
  /** A finding may place it as late as this: silence, and what never comes, is seen later than it begins. */
  readonly until: number;
  /** Number of events that show it. */
  readonly size: number;
  /** Kinds that describe the same deed truthfully, beside its own. */
  readonly also: readonly Kind[];
}

/** A deed of an administrator of Rescind at a time of the story. */
export type Act =
  | { readonly at: number; readonly does: 'order'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly at: number; readonly does: 'create-caller'; readonly id: string; readonly roles: object }
  | { readonly at: number; readonly does: 'update-caller'; readonly id: string; readonly roles: object };

export interface Story {
  readonly start: number;
  readonly end: number;
  /** In order of arrival. */
  readonly events: readonly SeedEvent[];
  /** In order of time. */
  readonly acts: readonly Act[];
  readonly truth: readonly Incident[];
}
