import type { Buffer } from 'node:buffer';
import { HASH_BYTES } from '../tree/nodes.js';
import { decodeBase64, isKeyName } from './keys.js';

/** The content of a checkpoint's text (C2SP tlog-checkpoint 1.0.0). */
export interface Checkpoint {
  /** Names the log. It is the name of the log's key, too. */
  readonly origin: string;
  readonly size: bigint;
  readonly root: Buffer;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;

/** Reads a number in decimal digits without leading zeros, below 10^19. */
export const parseDecimal = (text: string): bigint | undefined => (DECIMAL.test(text) ? BigInt(text) : undefined);

/** Writes the text of a note: origin, size, root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) throw new TypeError('an origin has no spaces, plus signs or control characters');
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads the text of a note. Lines after the third are extensions, and are not read. Returns undefined for a malformed text. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', sizeText = '', rootText = '', end] = text.split('\n');
  const size = parseDecimal(sizeText);
  const root = decodeBase64(rootText);
  if (origin === '' || size === undefined || root?.length !== HASH_BYTES || end === undefined) return undefined;
  return { origin, size, root };
}
