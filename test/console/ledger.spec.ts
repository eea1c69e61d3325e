import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import {
  parseVerifierKey,
  splitEvidence,
  formatEvidence,
  formatVerifierKey,
  verifierKey,
  verifyEvidence,
} from '../../src/merkle/index.js';
import { cleanUp } from '../support/cleanups.js';
import { makeProducerKey, setOf } from '../support/signed.js';
import { AUDIENCE, EVENT, keysOf, LOG_KEYS, setPayload, signedBy, URI } from '../support/signed-evidence.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
const ofAll = cleanUp(afterAll);

interface Ledger {
  readonly as_of: { readonly index: string };
  readonly tenant: string;
  readonly checkpoint: { readonly origin: string; readonly size: string; readonly root: string; readonly note: string };
  readonly keys: readonly { readonly key: string }[];
}

let vkey: string;
beforeAll(async () => {
  vkey = (await askApi<Ledger>('GET', '/v1/ledger')).keys[0]!.key;
});

const countText = (count: string): string => Number(count).toLocaleString('en');

/** Clicks, and reads the file that the page gives. */
async function fileOf(page: Page, button: Locator): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return text(await file.createReadStream());
}

/** The checks as `rescind verify` makes them. */
const checksOf = (file: string, key = vkey) => verifyEvidence(file, [parseVerifierKey(key)!]);

describe('the page of the ledger', () => {
  it('shows the checkpoint that the API tells, its keys, and that nobody has witnessed it', async () => {
    // The ledger may grow meanwhile, so the page keeps the first answer of the service.
    let answer: Promise<Ledger> | undefined;
    const { page, faults } = await openConsole(cleanups, {
      path: '/ledger',
      before: (opened) =>
        opened.route('**/v1/ledger', async (route) => {
          answer ??= route.fetch().then(async (told) => (await told.json()) as Ledger);
          await route.fulfill({ json: await answer });
        }),
    });
    await page.getByRole('heading', { name: 'Newest checkpoint' }).waitFor();
    const { tenant, checkpoint, keys } = (await answer)!;
    const part = page.getByRole('region', { name: 'Newest checkpoint' });
    await part.getByText(checkpoint.root).waitFor();
    await part.getByText(checkpoint.origin).waitFor();
    await part.getByText('recomputed in this page').waitFor();
    const facts = await part.getByRole('row').filter({ hasText: 'entries' }).innerText();
    expect(facts).toContain(countText(checkpoint.size));
    await page.getByRole('img', { name: `Growth of the ledger to ${countText(checkpoint.size)} entries` }).waitFor();
    await page.getByText('The ledger is unwitnessed').waitFor();
    for (const { key } of keys) await page.getByText(key, { exact: true }).waitFor();
    const commands = page.getByRole('region', { name: 'How an auditor checks it' });
    await commands
      .getByText(`curl ${new URL(page.url()).origin}/ledger/${tenant}/checkpoint`, { exact: true })
      .waitFor();
    await commands.getByText(/^rescind fsck http/).waitFor();
    expect(faults).toEqual([]);
  });

  it('says how far each witness is behind, from where on entries are unwitnessed, and keeps names apart', async () => {
    const answer = await askApi<Ledger>('GET', '/v1/ledger');
    const { size, root, note } = answer.checkpoint;
    const seen = String(BigInt(size) - 1_234n);
    const at = '2026-01-02T03:04:05.000Z';
    const witnesses = [
      { name: 'slow.example/w', size: seen, at },
      { name: 'never.example/\u202ew', size: '0', at: null },
    ];
    const json = { ...answer, witnessed: { size: seen, root, at, note }, witnesses };
    const { page } = await openConsole(cleanups, {
      path: '/ledger',
      before: (opened) => opened.route('**/v1/ledger', (route) => route.fulfill({ json })),
    });
    const rows = page.getByRole('table', { name: 'Witnesses' }).getByRole('row');
    await rows.filter({ hasText: 'slow.example/w' }).waitFor();
    expect((await rows.allInnerTexts()).slice(1).map((row) => row.split(/\s+/).slice(0, 3))).toEqual([
      ['slow.example/w', countText(seen), '1,234'],
      ['never.example/\\u{202e}w', '0', countText(size)],
    ]);
    await page.getByText(`Unwitnessed: the last 1,234 of ${countText(size)} entries`).waitFor();
  });

  it('does not take a checkpoint for signed that says anything else than its note', async () => {
    const answer = await askApi<Ledger>('GET', '/v1/ledger');
    const json = { ...answer, checkpoint: { ...answer.checkpoint, size: String(BigInt(answer.checkpoint.size) + 1n) } };
    const { page } = await openConsole(cleanups, {
      path: '/ledger',
      before: (opened) => opened.route('**/v1/ledger', (route) => route.fulfill({ json })),
    });
    await page.getByRole('alert').filter({ hasText: 'No key of this ledger signed this checkpoint' }).waitFor();
  });
});

describe('evidence in the console', () => {
  /** The page that checks evidence, without a network: whatever it asks for fails, and is counted. */
  let page: Page;
  let requests: string[];
  let faults: readonly string[];
  let entry: string;

  beforeAll(async () => {
    ({ page, faults } = await openConsole(ofAll, { path: '/verify', signedIn: false }));
    await page.getByLabel('Verifier key of the log').waitFor();
    requests = [];
    await page.context().setOffline(true);
    page.on('request', (request) => requests.push(request.url()));
    const { page: shown } = await openConsole(ofAll, { path: '/entries/700' });
    entry = await fileOf(shown, shown.getByRole('button', { name: 'Evidence file' }));
  });

  /** Checks a file in the page, and returns the conclusion with all steps as they are read. */
  async function check(file: string, key = vkey) {
    const buffer = Buffer.from(file);
    await page.locator('input[type=file]').setInputFiles({ name: 'given.json', mimeType: 'application/json', buffer });
    await page.getByLabel('Verifier key of the log').fill(key);
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Check it' }).press('Enter');
    const conclusion = page.getByRole('alert').or(page.getByRole('status').filter({ hasText: 'holds.' }));
    await conclusion.waitFor();
    const rows = await page.getByRole('table', { name: 'Checks' }).getByRole('row').allInnerTexts();
    return { conclusion: await conclusion.innerText(), rows };
  }

  it('of an entry holds by the code of `rescind verify` and in a page that asks nobody, step by step', async () => {
    const steps = await checksOf(entry);
    expect([steps.length, steps.filter(({ ok }) => !ok)]).toEqual([8, []]);
    const { conclusion, rows } = await check(entry);
    expect(conclusion).toContain('The evidence holds.');
    expect(rows).toHaveLength(steps.length);
    steps.forEach(({ what, checked, detail }, nth) => {
      expect(rows[nth]).toContain(checked ? '✓ ok' : 'not checked');
      expect(rows[nth]).toContain(what);
      expect(rows[nth]).toContain(detail);
    });
    expect(rows.join('\n')).toContain('unwitnessed');
    await page.getByRole('region', { name: 'What the entry says' }).getByText('"specversion"').waitFor();
  });

  it.each(['ES256', 'EdDSA', 'RS256'])(
    'of an event that its source signed by %s is checked to its key',
    async (alg) => {
      const [key, other] = await Promise.all([makeProducerKey('k', alg), makeProducerKey('k', alg)]);
      const event = { type: EVENT, source: URI, id: 'e-1', time: '2026-12-01T10:00:00Z', data: { sub: 'alice' } };
      const jws = setPayload(await setOf(key, event as never, AUDIENCE));
      const [logKey] = LOG_KEYS.map(formatVerifierKey);
      const { rows } = await check(formatEvidence(signedBy(keysOf([key]), jws, null)), logKey);
      expect(rows.at(-1)).toContain('✓ ok');
      expect(rows.at(-1)).toContain(`signed as a SET by the source ${URI} with key k (${alg})`);
      const { conclusion } = await check(formatEvidence(signedBy(keysOf([other]), jws, null)), logKey);
      expect(conclusion).toContain('the key k of the source did not make the signature');
    },
  );

  it.each(['payload', 'entry', 'proof'] as const)(
    'names the step that a flipped byte of the %s breaks',
    async (part) => {
      const file = JSON.parse(entry) as { entry: string; payload: { bytes: string }; proof: string };
      const flip = (base64: string): string => {
        const bytes = Buffer.from(base64, 'base64');
        bytes[20]! ^= 1;
        return bytes.toString('base64');
      };
      if (part === 'payload') file.payload.bytes = flip(file.payload.bytes);
      if (part === 'entry') file.entry = flip(file.entry);
      if (part === 'proof') file.proof = file.proof.replace(/(?<=\nindex \d+\n)(.+)/, flip);
      const changed = `${JSON.stringify(file)}\n`;
      const wrong = (await checksOf(changed)).at(-1)!;
      expect(wrong.ok).toBe(false);
      const { conclusion, rows } = await check(changed);
      expect(conclusion).toContain(`Line 1 does not hold. Not so: ${wrong.what}.`);
      expect(conclusion).toContain(wrong.detail);
      expect(rows.filter((row) => row.includes('✗ wrong'))).toEqual([expect.stringContaining(wrong.what)]);
    },
  );

  it('is refused with another key than the one that signed, and with a text that is no key', async () => {
    const { name } = parseVerifierKey(vkey)!;
    const other = formatVerifierKey(verifierKey(name, 'ed25519', Buffer.alloc(32, 9)));
    const { conclusion } = await check(entry, other);
    expect(conclusion).toContain('Not so: the log signed the checkpoint.');
    await page.getByLabel('Verifier key of the log').fill('log.example+key');
    await page.getByText('is not the Ed25519 verifier key of a log').waitFor();
    expect(await page.getByRole('button', { name: 'Check it' }).isEnabled()).toBe(false);
    await page.getByText('does not hold').waitFor({ state: 'detached' });
  });

  it('of all rows that are shown is one archive, which holds', async () => {
    const { page: shown } = await openConsole(cleanups, { path: '/explore?measures=calls&rows={}' });
    const rows = await shown.getByRole('table', { name: 'Uses' }).getAttribute('aria-rowcount');
    const archive = await fileOf(shown, shown.getByRole('button', { name: 'Evidence of these' }));
    const lines: string[] = [];
    for await (const line of splitEvidence([archive])) lines.push(line);
    expect(lines).toHaveLength(Number(rows));
    const { conclusion } = await check(archive);
    expect(conclusion).toContain(`The evidence of ${lines.length} lines holds.`);
    await page.getByRole('table', { name: 'Lines' }).getByRole('button', { name: '2', exact: true }).press('Enter');
    const [, step] = (await checksOf(lines[1]!)).filter(({ step: one }) => one === 'file' || one === 'entry');
    await page.getByRole('table', { name: 'Checks' }).getByText(step!.detail).waitFor();
  });

  it('was checked without a single request', () => {
    expect([requests, faults]).toEqual([[], []]);
  });
});
