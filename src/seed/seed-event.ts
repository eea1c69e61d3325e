import type { EventDataOf, SourceEventName } from '../contracts/index.js';

/** One event of a party, with the time of its arrival. Times are epoch seconds. */
export interface SeedEvent<N extends SourceEventName = SourceEventName> {
  /** `idp`, or an application's name. */
  readonly party: string;
  readonly name: N;
  /** Unique for the party. An event sent again under the same id is the same event. */
  readonly id: string;
  readonly at: number;
  readonly arrives: number;
  readonly data: EventDataOf[N];
  /** Enters the event at the very second of its arrival; other events wait for a batch. */
  readonly prompt?: true;
}

/** Name of the party that is the identity provider. */
export const IDP = 'idp';

export const ID_JAG_LIFETIME_S = 300;
export const TOKEN_LIFETIME_S = 3_600;
