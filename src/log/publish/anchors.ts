import { findSigners, parseCheckpoint, parseNote, type TreeHead, type VerifierKey } from '../../merkle/index.js';

/** A signed checkpoint, with what its text says. */
export interface KeptCheckpoint {
  readonly incarnation: number;
  readonly size: bigint;
  readonly note: string;
}

/** A place outside PostgreSQL that keeps the newest checkpoint of each ledger. Whoever puts an old backup in place leaves it as it is. */
export interface Anchors {
  /** For people: where it is. */
  readonly name: string;
  /** Reads the note of the newest checkpoint that was kept of a tenant's ledger; undefined if none was. */
  newest(tenant: string): Promise<string | undefined>;
  /** MUST be durable on return, and MUST NOT replace a newer checkpoint. */
  keep(tenant: string, checkpoint: KeptCheckpoint): Promise<void>;
}

/** A checkpoint that a ledger's key has signed. */
export interface SignedCheckpoint extends TreeHead {
  readonly incarnation: number;
  readonly root: Buffer;
  readonly note: string;
}

const ORIGIN = /^(.+)\/([1-9][0-9]{0,8})$/;

/**
 * Reads a kept note of the ledger named `<ledger>/<incarnation>`. Returns undefined unless one of the ledger's keys signed it: anyone may have
 * put it there.
 */
export function readSigned(
  ledger: string,
  note: string,
  verifiers: (origin: string) => readonly VerifierKey[],
): SignedCheckpoint | undefined {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  const [, name, incarnation] = ORIGIN.exec(checkpoint?.origin ?? '') ?? [];
  if (!parsed || !checkpoint || name !== ledger) return undefined;
  const signers = findSigners(parsed, verifiers(checkpoint.origin));
  if (signers === undefined || signers.size === 0) return undefined;
  return { incarnation: Number(incarnation), size: checkpoint.size, root: checkpoint.root, note };
}
