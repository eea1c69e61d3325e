import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, HEIGHT_PX, openConsole, orderBlock } from './open-console.js';
import { placesOf, settled } from './routes.js';

const cleanups = cleanUp(afterEach);
/** Both colours and both widths; what an element looks like does not depend on how the two go together. A page is left as it was opened. */
const LOOKS = [
  { colorScheme: 'dark', width: 390 },
  { colorScheme: 'light', width: 1280 },
] as const;

/** Each page in the state in which people use it. Add a page here. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  '/': (page) => page.getByRole('table', { name: 'What is new' }).waitFor(),
  '/?at=2d&against=4d': (page) => page.getByRole('table', { name: 'Grown or changed' }).waitFor(),
  '/channels': (page) => page.getByText('No channel').waitFor(),
  '/channels?add=true': (page) => page.getByRole('button', { name: 'Create' }).waitFor(),
  '/explore': (page) => page.getByRole('link', { name: 'Who is refused?' }).waitFor(),
  '/explore?measures=["calls","users"]&by=["client"]': (page) =>
    page.getByRole('img', { name: 'calls, drawn' }).locator('canvas').first().waitFor(),
  '/explore?measures=calls&rows={}': (page) => page.getByRole('table', { name: 'Uses' }).waitFor(),
  '/explore?filter={"user":{"equals":"nobody-at-all"}}': (page) =>
    page.getByText('of this name has been seen').waitFor(),
  '/entries/1': (page) => page.getByRole('region', { name: 'Raw bytes', exact: true }).waitFor(),
  '/views': (page) => page.getByText('No view').waitFor(),
  '/findings': (page) => page.getByRole('table', { name: 'Findings' }).waitFor(),
  '/agents': (page) => page.getByRole('table', { name: 'Agents' }).waitFor(),
  '/ledger': (page) => page.getByRole('heading', { name: 'How an auditor checks it' }).waitFor(),
  '/verify': (page) => page.getByRole('button', { name: 'Check it' }).waitFor(),
  '/map': (page) => page.getByRole('grid', { name: 'Clients and resources' }).waitFor(),
  '/map?show=table': (page) => page.getByRole('table', { name: 'Connections' }).waitFor(),
  '/map?show=graph': (page) => page.locator('.react-flow__node').first().waitFor(),
  '/nowhere': (page) => page.getByText('There is no such page').waitFor(),
  '/sources': (page) => page.getByRole('table', { name: 'Sources' }).waitFor(),
  '/rules': (page) => page.getByRole('table', { name: 'Rules' }).waitFor(),
  '/stop': (page) => page.getByRole('form', { name: 'Exact names' }).waitFor(),
  '/stop?issuer=https://idp.corp.example': (page) => page.getByLabel('The number').waitFor(),
  '/tokens/unknown': (page) => page.getByRole('alert').waitFor(),
  '/welcome': (page) => page.getByRole('link', { name: 'Sign in' }).waitFor(),
};

let page: Page;
async function load(path: string): Promise<void> {
  ({ page } = await openConsole(cleanups, { path }));
  await settled(page);
}

/** Waits until nothing moves or changes its colour any more; runs in the page. What never ends, such as a loader, may go on. */
const STILL = `(async () => {
  const isMoving = () => document.getAnimations().some(
    ({ playState, effect }) => playState === 'running' && Number.isFinite(effect.getComputedTiming().endTime),
  );
  // A component that is drawn in one frame begins to move in the next.
  for (let frames = 0; frames < 3; frames = isMoving() ? 0 : frames + 1) await new Promise(requestAnimationFrame);
})()`;
/**
 * Judges by all rules; runs in the page. It does not describe the elements that pass, which would be hundreds of kilobytes a page, nor
 * looks for a selector of each element, which takes a sixth of its time.
 */
const VIOLATIONS = `axe.run(document, { resultTypes: ['violations'], selectors: false }).then(({ violations }) => violations)`;

async function violations(): Promise<string[]> {
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(axe.source);
  const all: string[] = [];
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: HEIGHT_PX });
    await page.locator(`[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    await page.evaluate(STILL);
    const found = await page.evaluate<AxeResults['violations']>(VIOLATIONS);
    all.push(
      ...found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${colorScheme}: ${id}: ${html.slice(0, 200)}`)),
    );
  }
  return all;
}

describe('in light and dark colours, wide and narrow', () => {
  it.each(Object.entries(PAGES))('%s can be used by everybody', async (path, shown) => {
    await load(path);
    await shown(page);
    expect(await violations()).toEqual([]);
  });

  it('the choice of a moment can be used by everybody', async () => {
    await load('/stop?at=1d');
    await page.getByRole('button', { name: /^Time: / }).click();
    await page.getByRole('form', { name: 'A moment' }).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByText('Compare', { exact: true }).click();
    await page.getByRole('form', { name: 'Two moments' }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('an account of a rule can be used by everybody', async () => {
    await load(`/rules/${await orderBlock(cleanups)}`);
    await page.getByText('refused, as resources reported').waitFor();
    await page.getByRole('button', { name: 'Lift…' }).click();
    expect(await violations()).toEqual([]);
  });

  it('the page of an agent can be used by everybody', async () => {
    await load('/agents');
    await page.getByRole('table', { name: 'Agents' }).getByRole('link').first().click();
    await page.getByRole('table', { name: 'Timeline' }).waitFor();
    await page.getByRole('img', { name: /Uses by the/ }).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('tab', { name: 'Blast radius' }).click();
    await page.getByRole('heading', { name: 'Live tokens' }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('the lineage of a token can be used by everybody', async () => {
    const [path] = await placesOf('/tokens/$id', (asked) => askApi('GET', asked));
    await load(path!);
    await page.locator('.react-flow__node').filter({ hasText: 'this token' }).waitFor();
    await page.getByRole('table', { name: 'Steps of the lineage' }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('the forms of Explore and of a view can be used by everybody', async () => {
    await load('/explore?measures=calls&by=user');
    await page.getByRole('table', { name: 'Groups' }).waitFor();
    await page.getByRole('button', { name: '+ Filter' }).click();
    await page.getByRole('form', { name: 'A condition' }).waitFor();
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('menuitem', { name: 'Save this view' }).click();
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('checks of evidence that hold and that do not can be used by everybody', async () => {
    const { logKey, files } = JSON.parse(readFileSync('src/merkle/evidence/vectors.json', 'utf8')) as {
      readonly logKey: string;
      readonly files: readonly { readonly text: string }[];
    };
    await load('/verify');
    const [holds] = files.map(({ text }) => text);
    await page.getByLabel('Verifier key of the log').fill(logKey);
    for (const [text, verdict] of [
      [holds! + holds!, 'The evidence of 2 lines holds.'],
      [holds!.replace('"entry"', '"Entry"'), 'does not hold'],
    ] as const) {
      const buffer = Buffer.from(text);
      await page.locator('input[type=file]').setInputFiles({ name: 'a.json', mimeType: 'application/json', buffer });
      await page.getByRole('button', { name: 'Check it' }).click();
      await page.getByText(verdict).waitFor();
      expect(await violations()).toEqual([]);
    }
  });

  it('an open finding can be used by everybody', async () => {
    await load('/findings?severity=high');
    await page.getByRole('table', { name: 'Findings' }).getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Next step').waitFor();
    await page
      .getByRole('button', { name: /^Entry/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'The whole event' }).waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Mute…' }).click();
    await page.getByLabel('Reason').waitFor();
    expect(await violations()).toEqual([]);
  });

  it('a channel and its secret can be used by everybody', async () => {
    const setting = { kind: 'webhook', address: 'http://127.0.0.1:9/' };
    await askApi('PUT', '/v1/channels/seen', setting);
    cleanups.push(() => askApi('DELETE', '/v1/channels/seen'));
    await load('/channels?channel=seen');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The receiver did not take it').waitFor();
    await page.getByRole('tab', { name: 'Setting' }).click();
    await page.getByRole('button', { name: 'Rotate the secret' }).click();
    await page.getByText(/^whsec_/).waitFor();
    expect(await violations()).toEqual([]);
  });
});
