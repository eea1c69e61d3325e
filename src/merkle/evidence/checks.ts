import { Buffer } from 'node:buffer';
import { commitment } from '../commitment.js';
import { parseEntry, type Entry } from '../entry.js';
import { parseCheckpoint, type Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { findSigners, parseNote, type Note } from '../note/note.js';
import { verifyInclusion } from '../tree/proofs.js';
import type { Evidence } from './evidence-file.js';

/** A check that fails throws this, so that nothing behind it is reached. The message may repeat text of the file. */
export class Wrong extends Error {}

/** The result of a check that passed, and what was found in words. `false` behind them: there was nothing to check. */
export type Passed<T> = readonly [found: T, detail: string, checked?: false];

export const notChecked = (why: string): Passed<undefined> => [undefined, `not checked: ${why}`, false];
export const NO_PAYLOAD = notChecked('the file holds no payload, because it was erased or left out');

export function checkSignature(
  { proof }: Pick<Evidence, 'proof'>,
  keys: readonly VerifierKey[],
): [{ readonly note: Note; readonly checkpoint: Checkpoint }, string] {
  const note = parseNote(proof.checkpoint);
  const checkpoint = note && parseCheckpoint(note.text);
  if (note === undefined || checkpoint === undefined) throw new Wrong('the checkpoint is malformed');
  const { origin, size } = checkpoint;
  // The key of a log is named as its origin. A key of another log, or of a witness, says nothing about this one.
  const own = keys.filter(({ type, name }) => type === 'ed25519' && name === origin);
  if (own.length === 0) throw new Wrong(`the checkpoint is of ${origin}, and no key of this log was given`);
  const signers = findSigners(note, own);
  if (signers === undefined) throw new Wrong(`the signature of ${origin} is wrong: the checkpoint was changed`);
  const [signer] = signers.keys();
  if (signer === undefined) throw new Wrong(`the key that was given for ${origin} did not sign the checkpoint`);
  return [{ note, checkpoint }, `${origin}, ${size} entries, key ${signer.id}`];
}

export function checkEntry({ entry: bytes, proof }: Pick<Evidence, 'entry' | 'proof'>): [Entry, string] {
  const entry = parseEntry(bytes);
  if (entry === undefined) throw new Wrong('the entry is malformed');
  if (entry.index !== proof.index)
    throw new Wrong(`the entry has index ${entry.index}, and the proof is for index ${proof.index}`);
  const arrival = new Date(Number(entry.arrivalMs));
  const at = Number.isNaN(arrival.getTime()) ? `${entry.arrivalMs} ms` : arrival.toISOString();
  return [entry, `index ${entry.index}, ${entry.type} from source ${entry.source}, arrived ${at}`];
}

export function checkPayload({ payload }: Pick<Evidence, 'payload'>, entry: Entry): Passed<undefined> {
  if (payload === null) return NO_PAYLOAD;
  const computed = commitment(payload);
  if (!computed.equals(entry.commitment))
    throw new Wrong(
      `salt, attributes and bytes give ${computed.toString('base64')}, and the entry commits to ${base64(entry.commitment)}`,
    );
  return [undefined, `commitment ${computed.toString('base64')}, ${payload.bytes.length} bytes`];
}

export function checkPath(
  { proof }: Pick<Evidence, 'proof'>,
  { size, root }: Checkpoint,
  hash: Buffer,
): [undefined, string] {
  const { index, path } = proof;
  if (index >= size) throw new Wrong(`the checkpoint covers ${size} entries, and not entry ${index}`);
  if (!verifyInclusion({ index, size, leafHash: hash, path, root }))
    throw new Wrong(`the path does not lead from the leaf hash to the signed root ${root.toString('base64')}`);
  return [undefined, `${path.length} hashes lead to the signed root ${root.toString('base64')}`];
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
