import { leafHash } from '../entry.js';
import { cosignedAt, type VerifierKey } from '../note/keys.js';
import { findSigners, type Note } from '../note/note.js';
import { checkSource, type VerifyJws } from './check-source.js';
import { checkEntry, checkPath, checkPayload, checkSignature, Wrong, type Passed } from './checks.js';
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
  source: 'the source signed an event that came signed',
} as const;
export type EvidenceStep = keyof typeof EVIDENCE_STEPS;

/** One check that was reached. */
export interface CheckedStep {
  readonly step: EvidenceStep;
  /** The check in plain words. */
  readonly what: string;
  readonly ok: boolean;
  /** Whether there was something to check. What was not checked is `ok`: nothing in the file contradicts it. */
  readonly checked: boolean;
  /** The finding in words. It may repeat text of the file. */
  readonly detail: string;
}

/**
 * Checks an evidence file with the log's keys, and nothing else. Returns the checks in order and stops at the first that fails, so that the
 * evidence holds if and only if the last one is `ok`. Each of `witnessKeys` must have cosigned; without any, that check only says that no
 * cosignature was checked. Without `verifyJws`, the last one says that the source's signature was not checked.
 */
export async function verifyEvidence(
  text: string,
  logKeys: readonly VerifierKey[],
  witnessKeys: readonly VerifierKey[] = [],
  verifyJws?: VerifyJws,
): Promise<readonly CheckedStep[]> {
  const steps: CheckedStep[] = [];
  const check = async <T>(step: EvidenceStep, made: () => Passed<T> | Promise<Passed<T>>): Promise<T> => {
    const what = EVIDENCE_STEPS[step];
    try {
      const [found, detail, checked = true] = await made();
      steps.push({ step, what, ok: true, checked, detail });
      return found;
    } catch (error) {
      if (error instanceof Wrong) steps.push({ step, what, ok: false, checked: true, detail: error.message });
      throw error;
    }
  };
  try {
    const evidence = await check('file', () => readFile(text));
    const signed = await check('checkpoint', () => checkSignature(evidence, logKeys));
    const entry = await check('entry', () => checkEntry(evidence));
    await check('payload', () => checkPayload(evidence, entry));
    const hash = await check('leaf', () => hashLeaf(evidence));
    await check('path', () => checkPath(evidence, signed.checkpoint, hash));
    await check('witnesses', () => checkWitnesses(signed.note, witnessKeys));
    await check('source', () => checkSource(evidence, entry, logKeys, verifyJws));
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

function hashLeaf({ entry }: Evidence): [Buffer, string] {
  const hash = leafHash(entry);
  return [hash, hash.toString('base64')];
}

function checkWitnesses(note: Note, keys: readonly VerifierKey[]): Passed<undefined> {
  if (keys.length === 0) return [undefined, 'unwitnessed: no witness was named, so no cosignature was checked', false];
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
