import { findSigners, parseDecimal, parseSignatures, type NoteSignature } from '../../merkle/index.js';
import type { Witness } from './witnesses.js';

/** A witness that takes longer is asked again later. */
const TIMEOUT_MS = 5_000;
/** An answer is a few signature lines or a number. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The answer of a witness: its cosignature, or the size that it has seen, from which it wants a proof. */
export type WitnessAnswer = { readonly cosignature: NoteSignature } | { readonly seen: bigint };

export interface Submission {
  /** Size that the witness has seen, as far as is known. */
  readonly old: bigint;
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, and its text. */
  readonly note: string;
  readonly text: string;
}

/**
 * Asks a witness to cosign a checkpoint (C2SP tlog-witness, `add-checkpoint`). Rejects if it does not answer in time, refuses, or answers with anything
 * but a valid cosignature of its own.
 */
export async function askWitness(
  { key, url }: Witness,
  { old, proof, note, text }: Submission,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  const response = await fetch(`${url}/add-checkpoint`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: `old ${old}\n${hashes}\n${note}`,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const answer = await readShort(response);
  if (response.status === 409) {
    const seen = answer.endsWith('\n') ? parseDecimal(answer.slice(0, -1)) : undefined;
    if (seen === undefined) throw new Error(`${key.name} answered 409 without a size`);
    return { seen };
  }
  if (response.status !== 200) throw new Error(`${key.name} answered ${response.status}`);
  const signatures = parseSignatures(answer);
  const cosignature = signatures && findSigners({ text, signatures }, [key])?.get(key);
  if (cosignature === undefined) throw new Error(`${key.name} answered without a valid cosignature`);
  return { cosignature };
}

async function readShort(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer of a witness is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
