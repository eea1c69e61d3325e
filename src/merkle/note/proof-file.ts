import type { Buffer } from 'node:buffer';
import { HASH_BYTES } from '../tree/nodes.js';
import { parseDecimal } from './checkpoint.js';
import { decodeBase64 } from './keys.js';

const MAGIC = 'c2sp.org/tlog-proof@v1';
/** A path has a hash a level, and no tree has more levels. */
const MAX_PATH = 64;

/** An inclusion proof that stands alone (C2SP tlog-proof). */
export interface ProofFile {
  readonly index: bigint;
  readonly path: readonly Buffer[];
  /** The checkpoint as it was served, with all signatures. */
  readonly checkpoint: string;
}

export const formatProofFile = ({ index, path, checkpoint }: ProofFile): string =>
  [MAGIC, `index ${index}`, ...path.map((hash) => hash.toString('base64')), '', checkpoint].join('\n');

/** Reads a proof file. The line `extra`, which nothing authenticates, is passed over. Returns undefined for a malformed file. */
export function parseProofFile(text: string): ProofFile | undefined {
  const end = text.indexOf('\n\n');
  if (end < 0) return undefined;
  const lines = text.slice(0, end).split('\n');
  if (lines.shift() !== MAGIC) return undefined;
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const [, indexText = ''] = /^index (.*)$/.exec(lines.shift() ?? '') ?? [];
  const index = parseDecimal(indexText);
  const path = lines.map(decodeBase64);
  if (index === undefined || path.length > MAX_PATH || path.some((hash) => hash?.length !== HASH_BYTES))
    return undefined;
  return { index, path: path as Buffer[], checkpoint: text.slice(end + 2) };
}
