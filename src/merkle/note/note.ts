import { Buffer } from 'node:buffer';
import { decodeBase64, isKeyName, verifySignature, type VerifierKey } from './keys.js';

/** A line below a note's text. */
export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyId: string;
  readonly signature: Buffer;
}

/** A signed note (C2SP signed-note 1.0.0). */
export interface Note {
  /** Ends with a newline; these are the bytes that are signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Signatures that a note may carry; more are refused. */
const MAX_SIGNATURES = 100;
/** Characters of a note; longer ones are refused unread. */
const MAX_CHARACTERS = 1_000_000;
const ID_BYTES = 4;
// Control characters but the newline: no note has one.
const CONTROL = /(?!\n)\p{Cc}/u;

/** Writes one signature line, with its newline. */
export const formatSignature = ({ name, keyId, signature }: NoteSignature): string =>
  `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`;

export const formatNote = ({ text, signatures }: Note): string =>
  `${text}\n${signatures.map(formatSignature).join('')}`;

/** Reads signature lines, each ended by a newline. Returns undefined if one is malformed. */
export function parseSignatures(lines: string): NoteSignature[] | undefined {
  if (!lines.endsWith('\n')) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines.slice(0, -1).split('\n')) {
    const [dash, name = '', base64 = '', ...more] = line.split(' ');
    const bytes = decodeBase64(base64);
    if (dash !== '—' || !isKeyName(name) || bytes === undefined || bytes.length <= ID_BYTES || more.length > 0)
      return undefined;
    signatures.push({ name, keyId: bytes.toString('hex', 0, ID_BYTES), signature: bytes.subarray(ID_BYTES) });
  }
  return signatures.length > MAX_SIGNATURES ? undefined : signatures;
}

/** Reads a note without checking a signature. Returns undefined for a malformed one. */
export function parseNote(note: string): Note | undefined {
  if (note.length > MAX_CHARACTERS || !note.isWellFormed() || CONTROL.test(note)) return undefined;
  // A text may hold empty lines, so the last one ends it.
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return undefined;
  const signatures = parseSignatures(note.slice(end + 2));
  return signatures === undefined ? undefined : { text: note.slice(0, end + 1), signatures };
}

/**
 * Finds the keys that signed a note. Signatures of unknown keys are passed over. Returns undefined if a signature by a known key is wrong,
 * because such a note is to be rejected whole.
 */
export function findSigners(
  { text, signatures }: Note,
  keys: readonly VerifierKey[],
): ReadonlyMap<VerifierKey, NoteSignature> | undefined {
  const signers = new Map<VerifierKey, NoteSignature>();
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.keyId);
    if (key === undefined) continue;
    if (!verifySignature(key, text, signature.signature)) return undefined;
    signers.set(key, signature);
  }
  return signers;
}
