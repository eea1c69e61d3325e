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
}

/** Reads the newest checkpoint and checks that `given` signed it or, without one, a key that the log lists itself. */
export async function readCheckpoint(read: ReadPart, given: VerifierKey | undefined): Promise<ServedCheckpoint> {
  const keys = given === undefined ? await readKeys(read) : [given];
  const note = parseNote((await read('checkpoint', MAX_BYTES)).toString('utf8'));
  const checkpoint = note && parseCheckpoint(note.text);
  if (!note || !checkpoint) throw new FoundWrong('checkpoint', 'is no signed checkpoint');
  // A log's key has the log's name: a checkpoint of another log by the same key is another one.
  const own = keys.filter(({ name, type }) => name === checkpoint.origin && type === 'ed25519');
  if (own.length === 0) throw new FoundWrong('checkpoint', `is of the log ${checkpoint.origin}, and the key is not`);
  const signers = findSigners(note, own);
  if (signers === undefined) throw new FoundWrong('checkpoint', 'has a signature of the key that does not hold');
  if (signers.size === 0)
    throw new FoundWrong(
      'checkpoint',
      `is not signed by ${given === undefined ? 'a key that the log lists' : 'the key'}`,
    );
  return { ...checkpoint, signers: [...signers.keys()] };
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
