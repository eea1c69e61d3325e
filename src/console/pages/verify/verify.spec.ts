import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readKeys, verifyFile, type Verdict } from './verify.js';

const vectors = JSON.parse(readFileSync(new URL('../../../merkle/evidence/vectors.json', import.meta.url), 'utf8')) as {
  logKey: string;
  witnessKey: string;
  files: { text: string }[];
};
const { keys } = readKeys(vectors.logKey, 'ed25519');
const [first, second] = vectors.files.map(({ text }) => text) as [string, string];

async function verdictsOf(...parts: (string | Uint8Array<ArrayBuffer>)[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for await (const verdict of verifyFile(new Blob(parts), keys, [])) verdicts.push(verdict);
  return verdicts;
}

describe('keys that were pasted', () => {
  it('may be several, with any white space between them', () => {
    expect(readKeys(`\n ${vectors.logKey} \n\n${vectors.logKey}\t`, 'ed25519')).toEqual({
      keys: [keys[0], keys[0]],
      wrong: undefined,
    });
  });

  it('are refused if they are of the other kind, or changed', () => {
    expect(readKeys(`${vectors.logKey} ${vectors.witnessKey}`, 'ed25519').wrong).toBe(vectors.witnessKey);
    expect(readKeys(vectors.logKey, 'cosignature')).toEqual({ keys: [], wrong: vectors.logKey });
    const changed = vectors.logKey.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect(readKeys(changed, 'ed25519').wrong).toBe(changed);
  });
});

describe('a file', () => {
  it('may be an archive with one evidence file a line', async () => {
    expect((await verdictsOf(first, second)).map(({ line, ok }) => [line, ok])).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it('is checked up to the first line that does not hold', async () => {
    const verdicts = await verdictsOf(first, first.replace('rescind-evidence/v1', 'rescind-evidence/v2'), second);
    expect(verdicts.map(({ line, ok }) => [line, ok])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(verdicts[1]!.steps.at(-1)!.step).toBe('file');
  });

  it('with a byte order mark is not what Rescind wrote', async () => {
    expect((await verdictsOf(Uint8Array.of(0xef, 0xbb, 0xbf), first))[0]!.ok).toBe(false);
  });

  it('without a line holds no evidence', async () => {
    expect(await verdictsOf('')).toEqual([]);
  });
});
