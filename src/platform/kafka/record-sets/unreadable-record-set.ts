/**
 * `truncated`: its length leads beyond what the broker sent. `checksum`: other bytes than the producer sent. `undecodable`: the producer's
 * bytes, but no records. `too-large`: expands beyond `MAX_EXPANDED_BYTES`. `unsupported`: a codec or format that is not known here.
 * `broker`: the broker itself cannot read its log there.
 */
export type RecordSetProblem = 'truncated' | 'checksum' | 'undecodable' | 'too-large' | 'unsupported' | 'broker';

export interface RecordSetPlace {
  readonly topic: string;
  readonly partition: number;
}

/** Records of a partition that nobody can read, now or later. */
export class UnreadableRecordSet extends Error {
  readonly code = 'record-set-unreadable';
  readonly topic: string;
  readonly partition: number;
  readonly problem: RecordSetProblem;
  /** Of the first record in it, as far as its header can be believed. */
  readonly firstOffset: bigint;
  /** Where what follows it begins; undefined when nothing says so that can be believed. */
  readonly nextOffset: bigint | undefined;

  constructor(place: RecordSetPlace, what: { problem: RecordSetProblem; firstOffset: bigint; nextOffset?: bigint; cause?: unknown }) {
    const { problem, firstOffset, nextOffset } = what;
    super(`${place.topic}/${place.partition}: the record set at offset ${firstOffset} cannot be read (${problem})`, { cause: what.cause });
    this.name = 'UnreadableRecordSet';
    this.topic = place.topic;
    this.partition = place.partition;
    this.problem = problem;
    this.firstOffset = firstOffset;
    this.nextOffset = nextOffset;
  }
}
