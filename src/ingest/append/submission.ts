import type { RejectCode } from '../../contracts/index.js';
import type { LogIndex, NewEntry } from '../../log/index.js';
import type { Accepted, Rejected } from '../accept/accept.js';
import type { OwnEvent } from './own-events.js';

/** Offsets of a partition before and after a submission; compared and swapped in the submission's transaction. */
export interface OffsetMove {
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  readonly held: bigint;
  readonly next: bigint;
  /** Offset and digest of the last record. It is read again after an assignment, so that a recreated topic is noticed. */
  readonly lastOffset: bigint | null;
  readonly lastSha256: Buffer | null;
  /** Set for an operator's decision about a stopped partition: the partition goes on from `next`. */
  readonly resumes?: true;
}

/** Events and an offset move that are written in one transaction or not at all. */
export interface Submission {
  readonly events: readonly Judged[];
  readonly offset?: OffsetMove;
  readonly own?: readonly OwnEvent[];
}

export interface Position {
  readonly offset: bigint;
}

/** Names who is answerable for a submission: the topic that it came from, or the caller that posted it. */
export function speakerOf({ events, offset }: Submission): string {
  if (offset) return `topic ${offset.topic}`;
  const door = events[0]?.arrived.door;
  if (!door) return 'rescind';
  return door.kind === 'kafka' ? `topic ${door.topic}` : `caller ${door.caller.tenant} ${door.caller.id}`;
}

export type Judged = (Accepted | Rejected) & {
  readonly position?: Position;
  /** Id of the quarantined row that this event is replayed from. The transaction that stores the event removes the row. */
  readonly quarantined?: string;
  /** The ledger entry of an accepted event. `sealEvent` makes it, once. */
  entry?: NewEntry;
};

/** Why an event is refused. */
export type Refusal = Pick<Rejected, 'code' | 'detail'>;

/** An event on its way through the batch that writes it. */
export interface Item {
  readonly judged: Judged;
  readonly offset: OffsetMove | undefined;
  /** Set for an event that is refused: at the door, by what is recorded already, or because the database refuses it. */
  refusal: Refusal | undefined;
  /** What the last attempt made of the event. True once its transaction is committed. */
  outcome: Outcome | undefined;
}

export const itemsOf = ({ events, offset }: Submission): readonly Item[] =>
  events.map((judged) => ({ judged, offset, refusal: judged.accepted ? undefined : judged, outcome: undefined }));

/** An item that is still to be written. */
export type OpenItem = Item & { readonly judged: Accepted };

export const isOpen = (item: Item): item is OpenItem => item.refusal === undefined;

export type Outcome =
  | { readonly state: 'sequenced'; readonly index: LogIndex }
  | { readonly state: 'duplicate'; readonly index: LogIndex }
  | { readonly state: 'rejected'; readonly code: RejectCode; readonly detail: string };

/** The partition was given to another consumer, or the outcome is unknown. Read the stored offset before going on. */
export class OffsetLost extends Error {
  override readonly name = 'OffsetLost';
  readonly move: OffsetMove;
  constructor(move: OffsetMove) {
    super(`${move.topic}/${move.partition} no longer stands at ${move.held}`);
    this.move = move;
  }
}
