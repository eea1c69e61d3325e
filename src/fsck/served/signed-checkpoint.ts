import {
  findSigners,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type Checkpoint,
  type VerifierKey,
} from '../../merkle/index.js';
import { FoundWrong } from '../wrong.js';
import type { ReadPart } from './part-reader.js';

/** Bytes of a checkpoint with all its signatures, and of a list of keys. */
const MAX_BYTES = 64 * 1024;

export interface ServedCheckpoint extends Checkpoint {
  /** Keys that signed it. */
  readonly signers: readonly VerifierKey[];
  /** Given witnesses that cosigned it. */
  readonly cosigners: readonly VerifierKey[];
}

export interface ServedCheckpoints {
  readonly newest: ServedCheckpoint;
  /** The newest one that a witness cosigned, as the log says; undefined if the log has none. */
  readonly witnessed: ServedCheckpoint | undefined;
}

/** Reads the newest checkpoints and checks that `given` signed them or, without one, a key that the log lists itself. */
export async function readCheckpoints(
  read: ReadPart,
  given: VerifierKey | undefined,
  witnesses: readonly VerifierKey[],
): Promise<ServedCheckpoints> {
  const keys = given === undefined ? await readKeys(read) : [given];
  const check = (path: string, body: Buffer) => checkNote(path, body.toString('utf8'), keys, given, witnesses);
  const body = await read.ifThere('checkpoint.witnessed', MAX_BYTES);
  // Read last, so that it is never older than the other.
  const newest = check('checkpoint', await read('checkpoint', MAX_BYTES));
  const witnessed = body && check('checkpoint.witnessed', body);
  if (witnessed && (witnessed.origin !== newest.origin || witnessed.size > newest.size))
    throw new FoundWrong('checkpoint.witnessed', `is of ${witnessed.size} entries of ${witnessed.origin}`);
  if (witnessed && witnesses.length > 0 && witnessed.cosigners.length === 0)
    throw new FoundWrong('checkpoint.witnessed', 'is not cosigned by a given witness');
  return { newest, witnessed };
}

function checkNote(
  path: string,
  text: string,
  keys: readonly VerifierKey[],
  given: VerifierKey | undefined,
  witnesses: readonly VerifierKey[],
): ServedCheckpoint {
  const note = parseNote(text);
  const checkpoint = note && parseCheckpoint(note.text);
  if (!note || !checkpoint) throw new FoundWrong(path, 'is no signed checkpoint');
  // A log's key has the log's name: a checkpoint of another log by the same key is another one.
  const own = keys.filter(({ name, type }) => name === checkpoint.origin && type === 'ed25519');
  if (own.length === 0) throw new FoundWrong(path, `is of the log ${checkpoint.origin}, and the key is not`);
  const signers = findSigners(note, own);
  if (signers === undefined) throw new FoundWrong(path, 'has a signature of the key that does not hold');
  if (signers.size === 0)
    throw new FoundWrong(path, `is not signed by ${given === undefined ? 'a key that the log lists' : 'the key'}`);
  const cosigners = findSigners(note, witnesses);
  if (cosigners === undefined) throw new FoundWrong(path, 'has a cosignature that does not hold');
  return { ...checkpoint, signers: [...signers.keys()], cosigners: [...cosigners.keys()] };
}

async function readKeys(read: ReadPart): Promise<readonly VerifierKey[]> {
  const lines = (await read('keys', MAX_BYTES)).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, nth) => {
    // Behind the key stands when it signs.
    const key = parseVerifierKey(line.split(' ', 1)[0]!);
    if (key === undefined) throw new FoundWrong('keys', `line ${nth + 1} is no verifier key`);
    return key;
  });
}
