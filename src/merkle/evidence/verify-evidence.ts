import { Buffer } from 'node:buffer';
import { commitment } from '../commitment.js';
import { leafHash, parseEntry, type Entry } from '../entry.js';
import { parseCheckpoint, type Checkpoint } from '../note/checkpoint.js';
import { cosignedAt, type VerifierKey } from '../note/keys.js';
import { findSigners, parseNote, type Note } from '../note/note.js';
import { verifyInclusion } from '../tree/proofs.js';
import { parseEvidence, type Evidence } from './evidence-file.js';

/** The checks of an evidence file, in their order, each as the sentence that holds if it passes. */
export const EVIDENCE_STEPS = {
  file: 'the file is readable evidence',
  checkpoint: 'the log signed the checkpoint',
  entry: 'the entry stands at the index of the proof',
  payload: 'a payload in the file is the one that the entry commits to',
  leaf: 'the entry has a leaf hash',
  path: 'the tree of the checkpoint holds the entry',
  witnesses: 'each witness that was named cosigned the checkpoint',
} as const;
export type EvidenceStep = keyof typeof EVIDENCE_STEPS;

/** One check that was made. */
export interface CheckedStep {
  readonly step: EvidenceStep;
  /** The check in plain words. */
  readonly what: string;
  readonly ok: boolean;
  /** The finding in words. It may repeat text of the file. */
  readonly detail: string;
}

/** A check that fails throws this, so that nothing behind it is reached. */
class Wrong extends Error {}

/**
 * Checks an evidence file with the log's keys, and nothing else. Returns the checks in order and stops at the first that fails, so that the
 * evidence holds if and only if the last one is `ok`. Each of `witnessKeys` must have cosigned; without any, the last check only says that
 * no cosignature was checked.
 */
export function verifyEvidence(
  text: string,
  logKeys: readonly VerifierKey[],
  witnessKeys: readonly VerifierKey[] = [],
): readonly CheckedStep[] {
  const steps: CheckedStep[] = [];
  const check = <T>(step: EvidenceStep, made: () => readonly [found: T, detail: string]): T => {
    const what = EVIDENCE_STEPS[step];
    try {
      const [found, detail] = made();
      steps.push({ step, what, ok: true, detail });
      return found;
    } catch (error) {
      if (error instanceof Wrong) steps.push({ step, what, ok: false, detail: error.message });
      throw error;
    }
  };
  try {
    const evidence = check('file', () => readFile(text));
    const signed = check('checkpoint', () => checkSignature(evidence, logKeys));
    const entry = check('entry', () => checkEntry(evidence));
    check('payload', () => checkPayload(evidence, entry));
    const hash = check('leaf', () => hashLeaf(evidence));
    check('path', () => checkPath(evidence, signed.checkpoint, hash));
    check('witnesses', () => checkWitnesses(signed.note, witnessKeys));
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
  }
  return steps;
}

function readFile(text: string): [Evidence, string] {
  const evidence = parseEvidence(text);
  if (evidence === undefined)
    throw new Wrong('not an evidence file as Rescind writes it: one line of compact JSON, ended with a newline');
  return [evidence, `rescind-evidence/v1 of entry ${evidence.proof.index}`];
}

function checkSignature(
  { proof }: Evidence,
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

function checkEntry({ entry: bytes, proof }: Evidence): [Entry, string] {
  const entry = parseEntry(bytes);
  if (entry === undefined) throw new Wrong('the entry is malformed');
  if (entry.index !== proof.index)
    throw new Wrong(`the entry has index ${entry.index}, and the proof is for index ${proof.index}`);
  const arrival = new Date(Number(entry.arrivalMs));
  const at = Number.isNaN(arrival.getTime()) ? `${entry.arrivalMs} ms` : arrival.toISOString();
  return [entry, `index ${entry.index}, ${entry.type} from source ${entry.source}, arrived ${at}`];
}

function checkPayload({ payload }: Evidence, entry: Entry): [undefined, string] {
  if (payload === null) return [undefined, 'not checked: the file holds no payload, because it was erased or left out'];
  const computed = commitment(payload);
  if (!computed.equals(entry.commitment))
    throw new Wrong(
      `salt, attributes and bytes give ${computed.toString('base64')}, and the entry commits to ${base64(entry.commitment)}`,
    );
  return [undefined, `commitment ${computed.toString('base64')}, ${payload.bytes.length} bytes`];
}

function hashLeaf({ entry }: Evidence): [Buffer, string] {
  const hash = leafHash(entry);
  return [hash, hash.toString('base64')];
}

function checkPath({ proof }: Evidence, { size, root }: Checkpoint, hash: Buffer): [undefined, string] {
  const { index, path } = proof;
  if (index >= size) throw new Wrong(`the checkpoint covers ${size} entries, and not entry ${index}`);
  if (!verifyInclusion({ index, size, leafHash: hash, path, root }))
    throw new Wrong(`the path does not lead from the leaf hash to the signed root ${root.toString('base64')}`);
  return [undefined, `${path.length} hashes lead to the signed root ${root.toString('base64')}`];
}

function checkWitnesses(note: Note, keys: readonly VerifierKey[]): [undefined, string] {
  if (keys.length === 0) return [undefined, 'unwitnessed: no witness was named, so no cosignature was checked'];
  const signers = findSigners(note, keys);
  if (signers === undefined) throw new Wrong('a cosignature is wrong');
  const missing = keys.filter((key) => key.type !== 'cosignature' || !signers.has(key));
  if (missing.length > 0) throw new Wrong(`unwitnessed: ${missing.map(({ name }) => name).join(', ')} did not cosign`);
  const seen = [...signers].map(([{ name }, { signature }]) => `${name} at ${timeOf(cosignedAt(signature)!)}`);
  return [undefined, `cosigned by ${seen.join(', ')}`];
}

/** Writes POSIX seconds as a time; a witness may state one that no `Date` can hold. */
function timeOf(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString();
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
