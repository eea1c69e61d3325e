import type { Seq } from '../../control/index.js';

/** The place of a reader in the stream. The id of each event says it, so that `Last-Event-ID` goes on from there. */
export interface Position {
  /** Seq up to which the reader was told everything about the tenant's rules, until they were in force. */
  readonly seq: Seq;
  /** Seq of the last news of findings that the reader was told. */
  readonly news: bigint;
}

const POSITION = /^(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,18})$/;

export const idOf = ({ seq, news }: Position): string => `${seq}.${news}`;

/** Reads the id of an event; undefined if it is none. */
export function parsePosition(text: string): Position | undefined {
  const [, seq, news] = POSITION.exec(text) ?? [];
  return seq === undefined ? undefined : { seq: BigInt(seq) as Seq, news: BigInt(news!) };
}
