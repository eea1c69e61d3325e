import { findSigners, parseCheckpoint, parseNote, verifierKey, type VerifierKey } from '../../merkle/index.js';

/** A checkpoint that a key of the ledger signed. */
export interface SignedRoot {
  readonly incarnation: number;
  readonly size: bigint;
  readonly root: Buffer;
}

/** A root that a size of the tree must have. */
export interface WantedRoot {
  readonly kind: 'tree_head' | 'ledger_checkpoint' | 'file' | 'topic';
  readonly place: string;
  readonly size: bigint;
  readonly root: Buffer;
}

const ORIGIN = /^.+\/([0-9a-f-]{36})\/([1-9][0-9]{0,8})$/;

export interface Expected {
  readonly tenant: string;
  /** Undefined: any; the checkpoint says them. */
  readonly incarnation?: number | undefined;
  readonly size?: bigint | undefined;
}

/** Says whether a key signed a checkpoint, whatever the checkpoint says. */
export function isSignedBy(note: string, key: Buffer): boolean {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  return checkpoint !== undefined && findSigners(parsed!, [verifierKey(checkpoint.origin, 'ed25519', key)])?.size === 1;
}

/** Reads a signed checkpoint. Returns it, or why it is not the one that is expected, signed by one of the keys. */
export function readSignedRoot(note: string, expected: Expected, keys: readonly Buffer[]): SignedRoot | string {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  if (!parsed || !checkpoint) return 'is no signed checkpoint';
  const { origin, size, root } = checkpoint;
  const signers = findSigners(
    parsed,
    keys.map((key) => verifierKey(origin, 'ed25519', key)),
  );
  if (signers === undefined) return "has a signature of the ledger's key that does not hold";
  if (signers.size === 0) return 'is not signed by a key of the ledger';
  const of = readOrigin(origin);
  if (of?.tenant !== expected.tenant || of.incarnation !== (expected.incarnation ?? of.incarnation))
    return `is of the log ${origin}`;
  if (size !== (expected.size ?? size)) return `is of ${size} entries and not of ${expected.size}`;
  return { incarnation: of.incarnation, size, root };
}

/** Reads the end of a ledger's origin, `<tenant>/<incarnation>`. */
export function readOrigin(origin: string): { readonly tenant: string; readonly incarnation: number } | undefined {
  const [, tenant, incarnation] = ORIGIN.exec(origin) ?? [];
  return tenant === undefined ? undefined : { tenant, incarnation: Number(incarnation) };
}

/** Counts the witnesses that cosigned a note; undefined if a cosignature of one of them does not hold. */
export function countCosigners(note: string, witnesses: readonly VerifierKey[]): number | undefined {
  const parsed = parseNote(note);
  return parsed ? findSigners(parsed, witnesses)?.size : 0;
}

/** Whether anybody but the log, whose name is its origin, put a signature below a note. */
export function hasCosignature(note: string): boolean {
  const parsed = parseNote(note);
  return parsed?.signatures.some(({ name }) => !parsed.text.startsWith(`${name}\n`)) ?? false;
}
