import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  cosignedAt,
  cosignedMessage,
  encodeCosignature,
  findSigners,
  formatCheckpoint,
  formatNote,
  formatProofFile,
  formatVerifierKey,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseProofFile,
  parseSignatures,
  parseVerifierKey,
  verifierKey,
  verifyInclusion,
} from '../index.js';

const PKCS8_PREFIX = '302e020100300506032b657004220420';
function keyPair(seed: readonly number[], name: string, type: 'ed25519' | 'cosignature') {
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_PREFIX, 'hex'), Buffer.from(seed)]),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { privateKey, key: verifierKey(name, type, raw) };
}
const rising = (from: number) => Array.from({ length: 32 }, (_, at) => from + at);
const log = keyPair(rising(0), 'log.rescind.example/audit', 'ed25519');
const witness = keyPair(rising(0x20), 'witness.example/w1', 'cosignature');

const PROOF_FILE = `c2sp.org/tlog-proof@v1
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

log.rescind.example/audit
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— log.rescind.example/audit o+JFfLzJ7/RpYcCOdQtIaMNZga0jfBfNC1ntkF2JV8nZa4SDFE0soehQanJ2vRe5RjwhSe3t2OpAhYlinNBzqjfXbQo=
— witness.example/w1 IDJKvgAAAABqsTuAMeRk/zUUACt6pQY4DZk10iaEdWQB1rfs7dkZ7qpxDEGfhJ9uHsTzB7Pi+BlGxIX3RmFew69v/otV6k6s/r5ZCA==
`;
const CHECKPOINT = PROOF_FILE.slice(PROOF_FILE.indexOf('\n\n') + 2);

describe('verifier keys', () => {
  it.each([
    [log.key, 'log.rescind.example/audit+a3e2457c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'],
    [witness.key, 'witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X'],
  ])('are written and read as published', (key, text) => {
    expect(formatVerifierKey(key)).toBe(text);
    expect(parseVerifierKey(text)).toEqual(key);
  });

  it.each([
    'example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2',
    'example.com/foo',
    '',
  ])('refuse %s', (text) => {
    expect(parseVerifierKey(text)).toBeUndefined();
  });

  it('reads the key of the specification', () => {
    const text = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    expect(formatVerifierKey(parseVerifierKey(text)!)).toBe(text);
  });

  it('has no name that a note cannot carry', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u2003b'])
      expect(() => verifierKey(name, 'ed25519', log.key.publicKey)).toThrow(TypeError);
  });
});

describe('a note', () => {
  it('is signed to the published bytes', () => {
    const note = parseNote(CHECKPOINT)!;
    const time = 1_790_000_000n;
    const cosignature = sign(null, cosignedMessage(note.text, time), witness.privateKey);
    const signatures = [
      { name: log.key.name, keyId: log.key.id, signature: sign(null, Buffer.from(note.text), log.privateKey) },
      { name: witness.key.name, keyId: witness.key.id, signature: encodeCosignature(time, cosignature) },
    ];
    expect(formatNote({ text: note.text, signatures })).toBe(CHECKPOINT);
    expect(cosignedAt(note.signatures[1]!.signature)).toBe(time);
    expect([...findSigners(note, [log.key, witness.key])!.keys()]).toEqual([log.key, witness.key]);
  });

  it('passes over unknown keys, and is refused whole for a wrong signature by a known one', () => {
    const note = parseNote(CHECKPOINT)!;
    expect([...findSigners(note, [witness.key])!.keys()]).toEqual([witness.key]);
    expect(findSigners(note, [])!.size).toBe(0);
    const changed = { ...note, text: note.text.replace('\n8\n', '\n9\n') };
    expect(findSigners(changed, [log.key])).toBeUndefined();
    expect(findSigners(changed, [witness.key])).toBeUndefined();
    expect(findSigners(changed, [])!.size).toBe(0);
  });

  it('ends its text with the last empty line', () => {
    const text = 'one\n\ntwo\n';
    const signatures = [{ name: 'n', keyId: '00000000', signature: Buffer.alloc(64) }];
    expect(parseNote(formatNote({ text, signatures }))).toEqual({ text, signatures });
  });

  it.each([
    ['no signature', 'text\n\n'],
    ['no empty line', 'text\n— n AAAAAAA=\n'],
    ['no newline at the end', `text\n\n— n AAAAAAA=`],
    ['another dash', 'text\n\n- n AAAAAAA=\n'],
    ['base64 without padding', 'text\n\n— n AAAAAAA\n'],
    ['base64 with other padding bits', 'text\n\n— n AAAAAAB=\n'],
    ['a key id alone', 'text\n\n— n AAAAAA==\n'],
    ['a further word', 'text\n\n— n AAAAAAA= x\n'],
    ['a control character', 'te\txt\n\n— n AAAAAAA=\n'],
    ['a carriage return', 'text\r\n\n— n AAAAAAA=\n'],
    ['a lone surrogate', 'te\ud800xt\n\n— n AAAAAAA=\n'],
    ['too many signatures', `text\n\n${'— n AAAAAAA=\n'.repeat(101)}`],
  ])('with %s is refused', (_case, note) => {
    expect(parseNote(note)).toBeUndefined();
  });

  it('signature lines stand alone in the answer of a witness', () => {
    const lines = CHECKPOINT.slice(CHECKPOINT.indexOf('— witness'));
    expect(parseSignatures(lines)).toEqual([parseNote(CHECKPOINT)!.signatures[1]]);
    expect(parseSignatures('')).toBeUndefined();
  });
});

describe('a checkpoint', () => {
  it('is written and read', () => {
    const { text } = parseNote(CHECKPOINT)!;
    const checkpoint = parseCheckpoint(text)!;
    expect(checkpoint).toMatchObject({ origin: 'log.rescind.example/audit', size: 8n });
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(`${text}an extension\n`)).toEqual(checkpoint);
  });

  it.each([
    '\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n',
    'o\n08\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n',
    'o\n-8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n',
    'o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg\n',
    'o\n8\nXcna\n',
    'o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=',
    'o\n8\n',
    '',
  ])('%j is none', (text) => {
    expect(parseCheckpoint(text)).toBeUndefined();
  });
});

describe('a proof file', () => {
  it('is written and read as published, and holds', () => {
    const proof = parseProofFile(PROOF_FILE)!;
    expect(proof).toMatchObject({ index: 5n, checkpoint: CHECKPOINT });
    expect(formatProofFile(proof)).toBe(PROOF_FILE);
    const { size, root } = parseCheckpoint(parseNote(proof.checkpoint)!.text)!;
    const hashed = leafHash(Buffer.from('40414243', 'hex'));
    expect(verifyInclusion({ index: proof.index, size, leafHash: hashed, path: proof.path, root })).toBe(true);
  });

  it('may have an extra line, which is passed over', () => {
    const extra = PROOF_FILE.replace('index', 'extra AAAA\nindex');
    expect(parseProofFile(extra)).toEqual(parseProofFile(PROOF_FILE));
  });

  it.each([
    ['another version', PROOF_FILE.replace('@v1', '@v2')],
    ['no index', PROOF_FILE.replace('index 5\n', '')],
    ['an index with a zero in front', PROOF_FILE.replace('index 5', 'index 05')],
    ['a hash that is cut off', PROOF_FILE.replace('vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=', 'vBoGQ7E=')],
    ['no empty line', PROOF_FILE.replaceAll('\n\n', '\n')],
    ['a path that is too long', PROOF_FILE.replace(/vBo.*\n/, (line) => line.repeat(63))],
  ])('with %s is refused', (_case, text) => {
    expect(parseProofFile(text)).toBeUndefined();
  });
});
