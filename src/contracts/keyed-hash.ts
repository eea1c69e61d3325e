import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const FIRST_SIZE = 1024;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const MAX_UTF8_BYTES = 3;

interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const knownPads = new WeakMap<Uint8Array, Pads>();
let inner = Buffer.alloc(FIRST_SIZE);
const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

/**
 * Computes the first `size` bytes of HMAC-SHA-256 (RFC 2104) as a latin1 string. Two plain digests over kept pads of the key are cheaper
 * than `createHmac`, which makes an object and a key schedule a call; a digest that is no Buffer needs no memory of its own. A key must not
 * be changed after its first use.
 */
export function keyedHash(key: Uint8Array, message: string, size: number): string {
  let pads = knownPads.get(key);
  if (pads === undefined) knownPads.set(key, (pads = padsOf(key)));
  const needed = BLOCK_BYTES + message.length * MAX_UTF8_BYTES;
  if (needed > inner.length) inner = Buffer.alloc(needed);
  pads.inner.copy(inner);
  const end = BLOCK_BYTES + inner.write(message, BLOCK_BYTES, 'utf8');
  pads.outer.copy(outer);
  outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
  outer.write(hash('sha256', outer, 'binary'), BLOCK_BYTES, 'latin1');
  // A separate string: a slice would keep the whole digest in memory, and there are millions of them.
  return outer.toString('latin1', BLOCK_BYTES, BLOCK_BYTES + size);
}

function padsOf(key: Uint8Array): Pads {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key);
  return { inner: Buffer.from(block.map((byte) => byte ^ 0x36)), outer: Buffer.from(block.map((byte) => byte ^ 0x5c)) };
}
