import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseEvidence, parseNote, parseVerifierKey } from '../../merkle/index.js';
import { verifyEd25519 } from './ed25519.js';
import { sha256 } from './sha256.js';

const hashInNode = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function verifyInNode(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
}

/** Order of the group. */
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
const PAYLOADS = readVectors<{ salt: string; bytes: string; entry: string }[]>('vectors.json');
const EVIDENCE = readVectors<{ logKey: string; files: { name: string; text: string }[] }>('evidence/vectors.json');

function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../merkle/${name}`, import.meta.url), 'utf8')) as T;
}

/** Every copy of the bytes with one bit changed. */
const flips = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    return changed;
  });

describe('SHA-256 of the browser', () => {
  it('is that of the service for the frozen vectors', () => {
    for (const { salt, bytes, entry } of PAYLOADS)
      for (const one of [Buffer.from(salt, 'hex'), Buffer.from(bytes, 'hex'), Buffer.from(entry)])
        expect(sha256(one)).toEqual(hashInNode(one));
  });

  it('is that of the service for bytes of any length', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => sha256(bytes).equals(hashInNode(bytes))));
  });
});

describe('Ed25519 of the browser', () => {
  it.each(EVIDENCE.files.map(({ name, text }) => [name, text]))(
    'takes the checkpoint of the vector "%s"',
    (_, text) => {
      const { publicKey } = parseVerifierKey(EVIDENCE.logKey)!;
      const note = parseNote(parseEvidence(text)!.proof.checkpoint)!;
      const message = Buffer.from(note.text);
      const { signature } = note.signatures.find((one) => one.name === EVIDENCE.logKey.split('+')[0])!;
      expect(verifyEd25519(publicKey, message, signature)).toBe(true);
      expect(flips(message).filter((changed) => verifyEd25519(publicKey, changed, signature))).toEqual([]);
    },
  );

  it('takes and refuses what the service does', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
    const message = Buffer.from('a checkpoint');
    const signature = sign(null, message, privateKey);
    // S + L is the same number for whoever does not check its range.
    const respelled = Buffer.from(signature);
    let s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`) + ORDER;
    for (let at = 32; at < 64; at += 1, s >>= 8n) respelled[at] = Number(s & 0xffn);
    const cases: [Buffer, Buffer, Buffer][] = [
      [publicKey, message, signature],
      [publicKey, message, respelled],
      [publicKey, message, Buffer.alloc(64)],
      [Buffer.alloc(32, 0xff), message, signature],
      ...flips(signature).map((changed): [Buffer, Buffer, Buffer] => [publicKey, message, changed]),
      ...flips(publicKey).map((changed): [Buffer, Buffer, Buffer] => [changed, message, signature]),
    ];
    const taken = cases.map((given) => verifyEd25519(...given));
    expect(taken).toEqual(cases.map((given) => verifyInNode(...given)));
    expect(taken.filter((isTaken) => isTaken)).toHaveLength(1);
  });
});
