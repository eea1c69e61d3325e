export { SALT_BYTES, commitment, encodeAttributes, parseAttributes } from './commitment.js';
export { encodeEntry, leafHash, parseEntry, type Entry } from './entry.js';
