import { createHash } from 'node:crypto';
import { KEY_WORDS } from './key-pool.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Says whether the id is a UUID, which its 16 bytes express completely. */
export const isUuid = (id: string): boolean => UUID.test(id);

/** Returns 16 bytes that stand for an id: the bytes of a UUID, or the first bytes of the SHA-256 of any other id. */
export function idWords(id: string): Uint32Array {
  const bytes = isUuid(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : createHash('sha256').update(id).digest();
  return Uint32Array.from({ length: KEY_WORDS }, (_, nth) => bytes.readUInt32LE(nth * 4));
}

export function uuidOf(words: Uint32Array): string {
  const hex = Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
