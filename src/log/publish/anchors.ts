import {
  findSigners,
  parseCheckpoint,
  parseNote,
  type Checkpoint,
  type Note,
  type TreeHead,
  type VerifierKey,
} from '../../merkle/index.js';

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
  /** Reads the notes that are kept of a tenant's ledger, the newest among them. Strangers may have put notes of their own there. */
  notes(tenant: string): Promise<readonly string[]>;
  /** MUST be durable on return, and MUST NOT replace a newer checkpoint. */
  keep(tenant: string, checkpoint: KeptCheckpoint): Promise<void>;
}

/** A checkpoint that a ledger's key has signed. */
export interface SignedCheckpoint extends TreeHead {
  readonly incarnation: number;
  readonly root: Buffer;
  readonly note: string;
}

/** A kept note of a ledger, before its signatures are checked. */
interface Candidate {
  readonly note: string;
  readonly parsed: Note;
  readonly incarnation: number;
  readonly checkpoint: Checkpoint;
}

const ORIGIN = /^(.+)\/([1-9][0-9]{0,8})$/;

/**
 * Finds the newest of the kept notes of the ledger named `<ledger>/<incarnation>` that one of the ledger's keys signed. Signatures are checked from
 * the newest on, so that many notes cost little.
 */
export function newestSigned(
  ledger: string,
  notes: readonly string[],
  verifiers: (origin: string) => readonly VerifierKey[],
): SignedCheckpoint | undefined {
  const candidates = notes.flatMap((note) => candidateOf(ledger, note) ?? []);
  candidates.sort((one, other) => (isNewer(one, other) ? -1 : 1));
  const signed = candidates.find(({ parsed, checkpoint: { origin } }) => findSigners(parsed, verifiers(origin))?.size);
  if (signed === undefined) return undefined;
  const { note, incarnation, checkpoint } = signed;
  return { incarnation, size: checkpoint.size, root: checkpoint.root, note };
}

function candidateOf(ledger: string, note: string): Candidate | undefined {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  const [, name, incarnation] = ORIGIN.exec(checkpoint?.origin ?? '') ?? [];
  if (!parsed || !checkpoint || name !== ledger) return undefined;
  return { note, parsed, incarnation: Number(incarnation), checkpoint };
}

const isNewer = (one: Candidate, other: Candidate): boolean =>
  one.incarnation === other.incarnation
    ? one.checkpoint.size > other.checkpoint.size
    : one.incarnation > other.incarnation;
