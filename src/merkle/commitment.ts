import { createHash } from 'node:crypto';

/** Bytes of the salt. Without it, a payload that can be guessed could be confirmed after its erasure. */
export const SALT_BYTES = 32;

const DOMAIN = Buffer.from('rescind-payload/v1\0', 'ascii');
const MAX_UINT32 = 0xffff_ffff;

/**
 * The attributes of a payload: per header `u32 length ‖ lower-case name ‖ u32 length ‖ value`, big-endian, sorted by the
 * bytes of the name. Throws `TypeError` where two headers have one name, since which of them counts would be a guess.
 */
export function encodeAttributes(headers: readonly (readonly [name: string, value: Uint8Array | string])[]): Buffer {
  const pairs = headers.map(([name, value]) => ({ name: bytesOf(name.toLowerCase()), value: bytesOf(value) }));
  pairs.sort((left, right) => Buffer.compare(left.name, right.name));
  const parts: Buffer[] = [];
  pairs.forEach(({ name, value }, position) => {
    if (position > 0 && pairs[position - 1]!.name.equals(name)) throw new TypeError('two headers have the same name');
    parts.push(uint32(name.length), name, uint32(value.length), value);
  });
  return Buffer.concat(parts);
}

/** The inverse, for checkers: undefined for bytes that `encodeAttributes` would not have written. */
export function parseAttributes(attributes: Buffer): (readonly [name: string, value: Buffer])[] | undefined {
  const headers: (readonly [string, Buffer])[] = [];
  let offset = 0;
  const take = (): Buffer | undefined => {
    if (offset + 4 > attributes.length) return undefined;
    const end = offset + 4 + attributes.readUInt32BE(offset);
    if (end > attributes.length) return undefined;
    const field = attributes.subarray(offset + 4, end);
    offset = end;
    return field;
  };
  while (offset < attributes.length) {
    const name = take();
    const value = take();
    if (name === undefined || value === undefined) return undefined;
    headers.push([name.toString('utf8'), value]);
  }
  try {
    return encodeAttributes(headers).equals(attributes) ? headers : undefined;
  } catch {
    return undefined;
  }
}

/**
 * C = SHA-256("rescind-payload/v1\0" ‖ salt ‖ u32 n ‖ attributes, n bytes ‖ bytes). `bytes` are those that came, after
 * decompression; `attributes` as `encodeAttributes` wrote them.
 */
export function commitment(payload: { readonly salt: Uint8Array; readonly attributes: Uint8Array; readonly bytes: Uint8Array }): Buffer {
  if (payload.salt.length !== SALT_BYTES) throw new TypeError(`a salt has ${SALT_BYTES} bytes`);
  return createHash('sha256')
    .update(DOMAIN)
    .update(payload.salt)
    .update(uint32(payload.attributes.length))
    .update(payload.attributes)
    .update(payload.bytes)
    .digest();
}

function bytesOf(value: Uint8Array | string): Buffer {
  if (typeof value !== 'string') return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  // Encoding would replace a lone surrogate, and two different headers would get one commitment.
  if (!value.isWellFormed()) throw new TypeError('a header holds a lone surrogate');
  return Buffer.from(value, 'utf8');
}

function uint32(value: number): Buffer {
  if (value > MAX_UINT32) throw new TypeError('longer than 32 bits can count');
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
