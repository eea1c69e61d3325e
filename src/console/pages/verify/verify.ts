import {
  parseVerifierKey,
  splitEvidence,
  verifyEvidence,
  type CheckedStep,
  type KeyType,
  type VerifierKey,
} from '../../../merkle/index.js';
import { verifyJws } from './verify-jws.js';

/** The result for one line of a file. */
export interface Verdict {
  readonly line: number;
  readonly text: string;
  readonly ok: boolean;
  readonly steps: readonly CheckedStep[];
}

export interface ReadKeys {
  readonly keys: readonly VerifierKey[];
  /** The first text that is no verifier key of this type. */
  readonly wrong: string | undefined;
}

/** Reads verifier keys that somebody pasted, one or more, with white space between them. */
export function readKeys(text: string, type: KeyType): ReadKeys {
  const texts = text.split(/\s+/).filter((one) => one !== '');
  const read = texts.map((one) => parseVerifierKey(one));
  return {
    keys: read.flatMap((key) => (key?.type === type ? [key] : [])),
    wrong: texts.find((_, nth) => read[nth]?.type !== type),
  };
}

/** Checks an evidence file, or an archive with one a line, as `rescind verify` does: it ends with the first line that does not hold. */
export async function* verifyFile(
  file: Blob,
  logKeys: readonly VerifierKey[],
  witnessKeys: readonly VerifierKey[],
): AsyncGenerator<Verdict> {
  // A byte order mark is not part of any evidence file, so it must not be passed over.
  const all = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await file.arrayBuffer());
  let line = 0;
  for await (const text of splitEvidence([all])) {
    line += 1;
    const steps = await verifyEvidence(text, logKeys, witnessKeys, verifyJws);
    const ok = steps.every((step) => step.ok);
    yield { line, text, ok, steps };
    if (!ok) return;
  }
}
