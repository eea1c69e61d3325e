import type { EventDataOf, OwnEventName, SourceEventName, TokenSeen } from '../contracts/index.js';

/** An entry as the projections take it. The same shape comes from the appender and, on a rebuild, from the ledger. */
export type ProjectedEvent<N extends SourceEventName = SourceEventName> = {
  [K in N]: {
    readonly name: K;
    readonly data: EventDataOf[K];
    readonly tenant: string;
    readonly tenantKey: Uint8Array;
    readonly ix: bigint;
    /** Control head that was read when the batch began. */
    readonly seenSeq: bigint;
    /** When it arrived, epoch milliseconds: of the entry, so the same on a rebuild. */
    readonly arrivalMs: number;
    /** Id of the source. */
    readonly source: string;
    /** Of the event, as its source gave it. */
    readonly id: string;
    /** Resource identifiers of the source. */
    readonly sourceResources: readonly string[];
    /** When it happened, epoch seconds. */
    readonly at: number;
    /** The same in milliseconds, as rules compare it: of two events of one second one may be the later. */
    readonly atMs: number;
    /** No source said it: Rescind saw the token first (`token.seen`). It is fact where nothing is recorded yet, and contradicts nothing. */
    readonly firstSight?: true;
  };
}[N];

/** Likewise of Rescind's own. */
export type OwnProjectedEvent<N extends OwnEventName = OwnEventName> = {
  [K in N]: {
    readonly name: K;
    readonly data: EventDataOf[K];
    readonly tenant: string;
    readonly tenantKey: Uint8Array;
    readonly ix: bigint;
    /** When the entry arrived, and what the event says of its time: epoch milliseconds. */
    readonly arrivalMs: number;
    readonly atMs: number;
  };
}[N];

export function only<N extends SourceEventName>(events: readonly ProjectedEvent[], ...names: readonly N[]): ProjectedEvent<N>[] {
  return events.filter((event) => (names as readonly string[]).includes(event.name)) as ProjectedEvent<N>[];
}

/** Where an event stands in its tenant's ledger. */
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
