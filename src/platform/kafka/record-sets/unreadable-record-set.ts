/**
 * Says why a record set cannot be read. `truncated`: its length leads beyond the bytes that the broker sent. `checksum`: the bytes are not
 * the producer's. `undecodable`: the producer's bytes, but not records. `too-large`: expands beyond `MAX_EXPANDED_BYTES`. `unsupported`:
 * a codec or format that Rescind does not know. `broker`: the broker itself cannot read its log at that point.
 */
export type RecordSetProblem = 'truncated' | 'checksum' | 'undecodable' | 'too-large' | 'unsupported' | 'broker';

export interface RecordSetPlace {
  readonly topic: string;
  readonly partition: number;
}

/** Reports records of a partition that nobody can read, now or later. */
export class UnreadableRecordSet extends Error {
  readonly code = 'record-set-unreadable';
  readonly topic: string;
  readonly partition: number;
  readonly problem: RecordSetProblem;
  /** Offset of the set's first record, as far as the set's header can be trusted. */
  readonly firstOffset: bigint;
  /** Offset at which the next readable set begins; undefined if no trustworthy source tells. */
  readonly nextOffset: bigint | undefined;

  constructor(
    place: RecordSetPlace,
    what: { problem: RecordSetProblem; firstOffset: bigint; nextOffset?: bigint; cause?: unknown },
  ) {
    const { problem, firstOffset, nextOffset } = what;
    super(`${place.topic}/${place.partition}: the record set at offset ${firstOffset} cannot be read (${problem})`, {
      cause: what.cause,
    });
    this.name = 'UnreadableRecordSet';
    this.topic = place.topic;
    this.partition = place.partition;
    this.problem = problem;
    this.firstOffset = firstOffset;
    this.nextOffset = nextOffset;
  }
}
