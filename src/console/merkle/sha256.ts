import { Buffer } from 'node:buffer';
import { sha256 as hash } from '@noble/hashes/sha2.js';

/** Stands in a browser for `src/merkle/sha256.ts`. */
export const sha256 = (bytes: Uint8Array): Buffer => Buffer.from(hash(bytes));
