import { findSigners, parseCheckpoint, parseNote, verifierKey } from '../../merkle/index.js';

/** A root that a size of the tree must have. */
export interface WantedRoot {
  readonly kind: 'tree_head' | 'ledger_checkpoint' | 'file';
  readonly place: string;
  readonly size: bigint;
  readonly root: Buffer;
}

const ORIGIN = /^.+\/([0-9a-f-]{36})\/([1-9][0-9]{0,8})$/;

export interface Expected {
  readonly tenant: string;
  readonly incarnation: number;
  readonly size: bigint;
}

/** Says whether a key signed a checkpoint, whatever the checkpoint says. */
export function isSignedBy(note: string, key: Buffer): boolean {
  const parsed = parseNote(note);
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  return checkpoint !== undefined && findSigners(parsed!, [verifierKey(checkpoint.origin, 'ed25519', key)])?.size === 1;
}

/** Reads a signed checkpoint. Returns its root, or why it is not the one that is expected, signed by one of the keys. */
export function readSignedRoot(note: string, expected: Expected, keys: readonly Buffer[]): Buffer | string {
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
  const [, tenant, incarnation] = ORIGIN.exec(origin) ?? [];
  if (tenant !== expected.tenant || Number(incarnation) !== expected.incarnation) return `is of the log ${origin}`;
  return size === expected.size ? root : `is of ${size} entries and not of ${expected.size}`;
}
