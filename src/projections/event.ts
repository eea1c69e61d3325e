import type { EventDataOf, OwnEventName, SourceEventName, TokenSeen } from '../contracts/index.js';

/** An event of a source as the projections receive it: from the appender or, in a rebuild, from the ledger. */
export type ProjectedEvent<N extends SourceEventName = SourceEventName> = {
  [K in N]: {
    readonly name: K;
    readonly data: EventDataOf[K];
    readonly tenant: string;
    readonly tenantKey: Uint8Array;
    readonly ix: bigint;
    /** Seq of the control head when the batch began. */
    readonly seenSeq: bigint;
    /** Arrival of the entry, epoch milliseconds. It is the same in a rebuild. */
    readonly arrivalMs: number;
    /** Id of the source. */
    readonly source: string;
    /** Id of the event, as its source gave it. */
    readonly id: string;
    /** Resource identifiers of the source. */
    readonly sourceResources: readonly string[];
    /** Time of the event, epoch seconds. */
    readonly at: number;
    /** Time of the event, epoch milliseconds. Rules compare it, because two events of one second have an order. */
    readonly atMs: number;
    /** No source said it: Rescind saw the token first (`token.seen`). It is fact where nothing is recorded yet, and contradicts nothing. */
    readonly firstSight?: true;
  };
}[N];

/** An event of Rescind itself, as the projections receive it. */
export type OwnProjectedEvent<N extends OwnEventName = OwnEventName> = {
  [K in N]: {
    readonly name: K;
    readonly data: EventDataOf[K];
    readonly tenant: string;
    readonly tenantKey: Uint8Array;
    readonly ix: bigint;
    /** Arrival of the entry, and below it the time of the event: both epoch milliseconds. */
    readonly arrivalMs: number;
    readonly atMs: number;
  };
}[N];

export function only<N extends SourceEventName>(
  events: readonly ProjectedEvent[],
  ...names: readonly N[]
): ProjectedEvent<N>[] {
  return events.filter((event) => (names as readonly string[]).includes(event.name)) as ProjectedEvent<N>[];
}

/** The position of an event in its tenant's ledger, with its times. */
export type Placement = Pick<ProjectedEvent, 'tenant' | 'tenantKey' | 'ix' | 'seenSeq' | 'arrivalMs' | 'id' | 'atMs'>;

/** A token that Rescind saw first, with the facts that a `token.issued` of its source would have had. */
export const seenToken = ({ source, ...facts }: TokenSeen, placement: Placement): ProjectedEvent<'token.issued'> => ({
  ...placement,
  name: 'token.issued',
  data: { kind: 'access', ...facts },
  source,
  sourceResources: facts.aud,
  at: Math.floor(placement.atMs / 1000),
  firstSight: true,
});
