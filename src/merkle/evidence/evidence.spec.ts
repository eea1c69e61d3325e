import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  EVIDENCE_STEPS,
  evidenceFile,
  formatEvidence,
  parseEntry,
  parseEvidence,
  parseVerifierKey,
  verifierKey,
  verifyEvidence,
  type EvidenceFile,
  type EvidenceStep,
} from '../index.js';

interface Vectors {
  logKey: string;
  witnessKey: string;
  files: { name: string; index: number; text: string }[];
}
const vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as Vectors;
const logKey = parseVerifierKey(vectors.logKey)!;
const witnessKey = parseVerifierKey(vectors.witnessKey)!;
const ALL = Object.keys(EVIDENCE_STEPS) as EvidenceStep[];
const [{ text: COSIGNED }, { text: UNWITNESSED }, { text: ERASED }] = vectors.files as [
  Vectors['files'][0],
  Vectors['files'][0],
  Vectors['files'][0],
];
const FILE = JSON.parse(COSIGNED) as EvidenceFile & { payload: NonNullable<EvidenceFile['payload']> };
const written = (file: object): string => `${JSON.stringify(file)}\n`;

/** The step that fails; undefined if none does. Every step before it must have passed, and none may follow. */
async function wrongStep(text: string): Promise<EvidenceStep | undefined> {
  const steps = await verifyEvidence(text, [logKey], [witnessKey]);
  expect(steps.map(({ step }) => step)).toEqual(ALL.slice(0, steps.length));
  const wrong = steps.filter(({ ok }) => !ok);
  if (wrong.length === 0) expect(steps).toHaveLength(ALL.length);
  else expect(wrong).toEqual([steps.at(-1)]);
  return wrong[0]?.step;
}

/** Every copy of the bytes with one bit changed, with the place of its byte. */
const flips = (bytes: Buffer): { at: number; changed: Buffer }[] =>
  Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    return { at: bit >> 3, changed };
  });

describe('frozen vectors', () => {
  it.each(vectors.files.map((file) => [file.name, file] as const))('%s', async (_name, { index, text }) => {
    const evidence = parseEvidence(text)!;
    expect(evidence.proof.index).toBe(BigInt(index));
    expect(formatEvidence(evidence)).toBe(text);
    expect(written(evidenceFile(evidence))).toBe(text);
    const steps = await verifyEvidence(text, [logKey]);
    expect(steps.map(({ step, ok }) => [step, ok])).toEqual(ALL.map((step) => [step, true]));
    expect(steps[1]!.detail).toContain('log.rescind.example/audit');
    expect(steps.at(-2)).toMatchObject({ checked: false, detail: expect.stringMatching(/^unwitnessed/) });
  });

  it('names the witness and its time', async () => {
    expect((await verifyEvidence(COSIGNED, [logKey], [witnessKey])).at(-2)).toMatchObject({
      ok: true,
      checked: true,
      detail: 'cosigned by witness.example/w1 at 2026-09-21T14:15:00.000Z',
    });
  });

  it('says that an erased payload was not checked', async () => {
    expect(await wrongStep(ERASED)).toBeUndefined();
    expect((await verifyEvidence(ERASED, [logKey]))[3]).toMatchObject({
      ok: true,
      checked: false,
      detail: expect.stringMatching(/^not checked/),
    });
  });
});

describe('one flipped bit is named by its step', () => {
  it.each([['salt'], ['attributes'], ['bytes']] as const)('in the %s', async (member) => {
    for (const { changed } of flips(Buffer.from(FILE.payload[member], 'base64'))) {
      const payload = { ...FILE.payload, [member]: changed.toString('base64') };
      expect(await wrongStep(written({ ...FILE, payload }))).toBe('payload');
    }
  });

  it('in the entry', async () => {
    const bytes = Buffer.from(FILE.entry, 'base64');
    const before = parseEntry(bytes)!;
    const seen = new Set<EvidenceStep>();
    for (const { changed } of flips(bytes)) {
      const after = parseEntry(changed);
      const step =
        after === undefined || after.index !== before.index
          ? 'entry'
          : Buffer.compare(after.commitment, before.commitment) !== 0
            ? 'payload'
            : 'path';
      expect(await wrongStep(written({ ...FILE, entry: changed.toString('base64') }))).toBe(step);
      seen.add(step);
    }
    expect([...seen].toSorted()).toEqual(['entry', 'path', 'payload']);
  });

  it('in the entry of an erased payload, whose commitment the path covers', async () => {
    const file = JSON.parse(ERASED) as EvidenceFile;
    for (const { changed } of flips(Buffer.from(file.entry, 'base64')))
      expect(['entry', 'path']).toContain(await wrongStep(written({ ...file, entry: changed.toString('base64') })));
  });

  it('in a hash of the path', async () => {
    const { proof, ...rest } = parseEvidence(COSIGNED)!;
    for (const [nth, hash] of proof.path.entries())
      for (const { changed } of flips(hash)) {
        const path = proof.path.with(nth, changed);
        expect(await wrongStep(formatEvidence({ ...rest, proof: { ...proof, path } }))).toBe('path');
      }
  });

  it('in the text of the checkpoint and in its signatures', async () => {
    const { proof, ...rest } = parseEvidence(COSIGNED)!;
    const checkpoint = Buffer.from(proof.checkpoint);
    const witnessLine = checkpoint.indexOf('— witness');
    const allowed: Record<string, readonly (EvidenceStep | undefined)[]> = {
      // The file is text, so a byte that is no longer UTF-8 becomes U+FFFD. Lines may fall apart, and then the note is malformed.
      log: ['checkpoint'],
      witness: ['checkpoint', 'witnesses'],
    };
    const seen = new Set<EvidenceStep | undefined>();
    for (const { at, changed } of flips(checkpoint)) {
      const step = await wrongStep(
        formatEvidence({ ...rest, proof: { ...proof, checkpoint: changed.toString('utf8') } }),
      );
      expect(allowed[at < witnessLine ? 'log' : 'witness']).toContain(step);
      seen.add(step);
    }
    expect([...seen].toSorted()).toEqual(['checkpoint', 'witnesses']);
  });

  it('in the index of the proof, the mode and the format', async () => {
    const head = FILE.proof.indexOf('index 5');
    expect(await wrongStep(written({ ...FILE, proof: FILE.proof.replace('index 5', 'index 4') }))).toBe('entry');
    for (const { at, changed } of flips(Buffer.from(FILE.proof.slice(0, head + 7))))
      expect(
        await wrongStep(written({ ...FILE, proof: changed.toString('latin1') + FILE.proof.slice(head + 7) })),
      ).toBe(at === head + 6 && /^[0-9]$/.test(String.fromCharCode(changed[at]!)) ? 'entry' : 'file');
    for (const { changed } of flips(Buffer.from(FILE.payload.mode)))
      expect(
        await wrongStep(written({ ...FILE, payload: { ...FILE.payload, mode: changed.toString('latin1') } })),
      ).toBe('file');
    for (const { changed } of flips(Buffer.from(FILE.format)))
      expect(await wrongStep(written({ ...FILE, format: changed.toString('latin1') }))).toBe('file');
  });

  it('or changed byte of the file leaves no evidence that holds', async () => {
    const bytes = Buffer.from(COSIGNED);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        const step = await wrongStep(changed.toString('utf8'));
        // The commitment does not cover the mode, but one changed byte makes no other mode.
        expect(step).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file', () => {
  it.each<[string, (text: string) => string]>([
    ['nothing', () => ''],
    ['no newline at the end', (text) => text.slice(0, -1)],
    ['a second line', (text) => text + text],
    ['white space', (text) => ` ${text}`],
    ['indented JSON', (text) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`],
    ['members in another order', () => written(Object.fromEntries(Object.entries(FILE).toReversed()))],
    ['a further member', () => written({ ...FILE, more: 1 })],
    ['a member twice', (text) => text.replace('{"format"', '{"entry":"","format"')],
    ['no payload member', () => written({ format: FILE.format, entry: FILE.entry, proof: FILE.proof })],
    ['an escaped character', (text) => text.replace('rescind-evidence', '\\u0072escind-evidence')],
    [
      'base64 without padding',
      () => written({ ...FILE, payload: { ...FILE.payload, salt: FILE.payload.salt.replace('=', '') } }),
    ],
    ['a short salt', () => written({ ...FILE, payload: { ...FILE.payload, salt: 'AAAA' } })],
    ['an entry that no bundle can hold', () => written({ ...FILE, entry: Buffer.alloc(65_536).toString('base64') })],
    ['an extra line in the proof', () => written({ ...FILE, proof: FILE.proof.replace('index', 'extra AAAA\nindex') })],
    ['a null proof', () => written({ ...FILE, proof: null })],
    ['a list', () => '[]\n'],
    ['null', () => 'null\n'],
    ['deep nesting', () => `${'['.repeat(100_000)}\n`],
    ['too many characters', (text) => text.replace('"bytes":"', `"bytes":"${'A'.repeat(16 * 1024 * 1024)}`)],
  ])('with %s is refused', async (_case, change) => {
    expect(parseEvidence(change(COSIGNED))).toBeUndefined();
    expect(await wrongStep(change(COSIGNED))).toBe('file');
  });
});

describe('the wrong keys', () => {
  const another = { ...logKey, name: 'log.rescind.example/other' };
  it.each([
    ['none', []],
    ['the key of another log', [verifierKey(another.name, 'ed25519', logKey.publicKey)]],
    ['another key of this log', [verifierKey(logKey.name, 'ed25519', witnessKey.publicKey)]],
    ["a witness's key", [witnessKey]],
    ['the key as a witness would have it', [verifierKey(logKey.name, 'cosignature', logKey.publicKey)]],
  ])('%s: the checkpoint is refused', async (_case, keys) => {
    expect((await verifyEvidence(COSIGNED, keys)).at(-1)).toMatchObject({ step: 'checkpoint', ok: false });
  });

  it('a witness that did not cosign is named, and every witness that was asked for must have', async () => {
    const silent = verifierKey('witness.example/w2', 'cosignature', logKey.publicKey);
    for (const [text, keys] of [
      [UNWITNESSED, [witnessKey]],
      [COSIGNED, [witnessKey, silent]],
      [COSIGNED, [logKey]],
    ] as const)
      expect((await verifyEvidence(text, [logKey], keys)).at(-1)).toMatchObject({
        step: 'witnesses',
        ok: false,
        checked: true,
        detail: expect.stringMatching(/^unwitnessed: /),
      });
  });

  it('beside the right one do no harm', async () => {
    expect((await verifyEvidence(COSIGNED, [witnessKey, logKey])).every(({ ok }) => ok)).toBe(true);
  });
});
