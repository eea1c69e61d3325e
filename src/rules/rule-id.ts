import { createHash } from 'node:crypto';
import { KEY_WORDS } from './key-pool.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether an id's words say all of it. */
export const isUuid = (id: string): boolean => UUID.test(id);

/** 16 bytes that stand for an id: its own where it is a UUID, else of its SHA-256. */
export function idWords(id: string): Uint32Array {
  const bytes = isUuid(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : createHash('sha256').update(id).digest();
  return Uint32Array.from({ length: KEY_WORDS }, (_, nth) => bytes.readUInt32LE(nth * 4));
}

export function uuidOf(words: Uint32Array): string {
  const hex = Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
