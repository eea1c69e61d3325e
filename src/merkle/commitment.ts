import { Buffer } from 'node:buffer';
import { sha256 } from './sha256.js';

/** Bytes of the salt. Without a salt, somebody who guesses an erased payload could confirm the guess. */
export const SALT_BYTES = 32;

const DOMAIN = Buffer.from('rescind-payload/v1\0', 'ascii');
const MAX_UINT32 = 0xffff_ffff;

/**
 * Encodes the attributes of a payload: for each header `u32 length ‖ lower-case name ‖ u32 length ‖ value`, big-endian, sorted by
 * the bytes of the name. Throws `TypeError` if two headers have the same name, because either choice would be a guess.
 */
export function encodeAttributes(headers: readonly (readonly [name: string, value: Uint8Array | string])[]): Buffer {
  const pairs = headers.map(([name, value]) => ({ name: nameOf(name), value: bytesOf(value) }));
  pairs.sort((left, right) => (left.name.order < right.name.order ? -1 : left.name.order > right.name.order ? 1 : 0));
  let size = 0;
  pairs.forEach(({ name, value }, position) => {
    if (position > 0 && pairs[position - 1]!.name.order === name.order)
      throw new TypeError('two headers have the same name');
    if (value.length > MAX_UINT32) throw new TypeError('longer than 32 bits can count');
    size += 8 + name.bytes.length + value.length;
  });
  const attributes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { name, value } of pairs) {
    at = attributes.writeUInt32BE(name.bytes.length, at);
    attributes.set(name.bytes, at);
    at = attributes.writeUInt32BE(value.length, at + name.bytes.length);
    attributes.set(value, at);
    at += value.length;
  }
  return attributes;
}

/** Size of the cache of header names. When it is full it is emptied, so that names which a producer invents do not stay for ever. */
const MAX_KNOWN_NAMES = 100;
const knownNames = new Map<string, Name>();

interface Name {
  readonly bytes: Buffer;
  /** The bytes as latin1: sorts like the bytes, at a fraction of the cost. */
  readonly order: string;
}

function nameOf(name: string): Name {
  let known = knownNames.get(name);
  if (known === undefined) {
    const bytes = bytesOf(name.toLowerCase());
    known = { bytes, order: bytes.toString('latin1') };
    if (knownNames.size === MAX_KNOWN_NAMES) knownNames.clear();
    knownNames.set(name, known);
  }
  return known;
}

/** Decodes attributes, for checkers. Returns undefined for bytes that `encodeAttributes` would not have written. */
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
 * Computes C = SHA-256("rescind-payload/v1\0" ‖ salt ‖ u32 n ‖ attributes, n bytes ‖ bytes). `bytes` are the received bytes after
 * decompression; `attributes` are as `encodeAttributes` wrote them.
 */
export function commitment({
  salt,
  attributes,
  bytes,
}: {
  readonly salt: Uint8Array;
  readonly attributes: Uint8Array;
  readonly bytes: Uint8Array;
}): Buffer {
  if (salt.length !== SALT_BYTES) throw new TypeError(`a salt has ${SALT_BYTES} bytes`);
  if (attributes.length > MAX_UINT32) throw new TypeError('longer than 32 bits can count');
  const size = DOMAIN.length + SALT_BYTES + 4 + attributes.length + bytes.length;
  if (size > hashed.length) hashed = Buffer.allocUnsafe(size * 2);
  let at = DOMAIN.copy(hashed);
  hashed.set(salt, at);
  at = hashed.writeUInt32BE(attributes.length, at + SALT_BYTES);
  hashed.set(attributes, at);
  hashed.set(bytes, at + attributes.length);
  return sha256(hashed.subarray(0, size));
}

const FIRST_SIZE = 64 * 1024;
/** Buffer that holds the input, so that one call hashes it. Copying the bytes costs less than five calls. */
let hashed = Buffer.allocUnsafe(FIRST_SIZE);

function bytesOf(value: Uint8Array | string): Buffer {
  if (typeof value !== 'string') return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  // Encoding would replace a lone surrogate, and two different headers would get one commitment.
  if (!value.isWellFormed()) throw new TypeError('a header holds a lone surrogate');
  return Buffer.from(value, 'utf8');
}
