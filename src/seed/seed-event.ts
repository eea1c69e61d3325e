import type { EventDataOf, SourceEventName } from '../contracts/index.js';

/** What a party says, and when it arrives. Times are epoch seconds. */
export interface SeedEvent<N extends SourceEventName = SourceEventName> {
  /** `idp`, or an application's name. */
  readonly party: string;
  readonly name: N;
  /** Unique to the party. Sent again under the same id, it is the same event. */
  readonly id: string;
  readonly at: number;
  readonly arrives: number;
  readonly data: EventDataOf[N];
  /** It is entered at the very second at which it arrives; others wait for company. */
  readonly prompt?: true;
}

/** The party that says what the identity provider says. */
export const IDP = 'idp';

export const ID_JAG_LIFETIME_S = 300;
export const TOKEN_LIFETIME_S = 3_600;
