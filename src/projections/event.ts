import type { EventDataOf, SourceEventName } from '../contracts/index.js';

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
    /** Resource identifiers of the source. */
    readonly sourceResources: readonly string[];
    /** When it happened, epoch seconds. */
    readonly at: number;
    /** The same in milliseconds, as rules compare it: of two events of one second one may be the later. */
    readonly atMs: number;
  };
}[N];

export function only<N extends SourceEventName>(events: readonly ProjectedEvent[], ...names: readonly N[]): ProjectedEvent<N>[] {
  return events.filter((event) => (names as readonly string[]).includes(event.name)) as ProjectedEvent<N>[];
}
