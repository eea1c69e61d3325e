import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

/** SHA-256 in one call. `src/console/merkle/` has another for a browser. */
export const sha256 = (bytes: Uint8Array): Buffer =>
  // A digest returned as a string needs no memory outside the heap.
  Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
