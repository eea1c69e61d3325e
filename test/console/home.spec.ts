import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleUrl, openConsole } from './open-console.js';
import { settled, untilHolds } from './routes.js';

const cleanups = cleanUp(afterEach);
const HOUR_MS = 3_600_000;
const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'];
const count = (value: number): string => new Intl.NumberFormat('en').format(value);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly says: string;
}

/** Every open finding, the worst first and of those the newest. */
async function openFindings(): Promise<Finding[]> {
  const found: Finding[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: { items: Finding[]; next?: string } = await askApi(
      'GET',
      `/v1/findings?state=open&limit=100${cursor && `&cursor=${cursor}`}`,
    );
    found.push(...page.items);
    cursor = page.next;
  }
  const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity);
  return found.sort((one, other) => rank(other) - rank(one));
}

/** Questions whose answers other specs change meanwhile, and which the page asks again only after half a minute or more. */
const QUESTIONS = [
  '/v1/coverage?limit=1',
  '/v1/revocations/preview{"selector":{"all":true}}',
  '/v1/access/counts?by=hour&from=24h',
];
async function firstAnswer(page: Page, question: string): Promise<unknown> {
  const response = await page.waitForResponse(
    (one) => `${one.url()}${one.request().postData() ?? ''}` === `${consoleUrl()}${question}`,
  );
  return response.json();
}

/** A visit that ended two hours ago, as the browser keeps it. */
const visitBefore = (seen: number) => `localStorage.setItem('rescind-last-visit', JSON.stringify({ seen: ${seen} }))`;

describe('home', () => {
  it('shows the worst open findings, the newest rules, what is not seen, and what is live', async () => {
    let answered!: readonly Promise<any>[];
    const { page, faults } = await openConsole(cleanups, {
      before: async (opened) => (answered = QUESTIONS.map((question) => firstAnswer(opened, question))),
    });
    const card = (name: string) => page.getByRole('region', { name, exact: true });
    const openOnes = card('Open findings');
    await openOnes.locator('bdi').first().waitFor();
    await untilHolds(async () => {
      const worst = await openFindings();
      expect(await openOnes.locator('bdi').allInnerTexts()).toEqual(worst.slice(0, 5).map((finding) => finding.says));
      expect(await openOnes.getByRole('link', { name: /^all / }).allInnerTexts()).toEqual([`all ${worst.length}`]);
    });

    await untilHolds(async () => {
      const { revocations } = await askApi('GET', '/v1/revocations?limit=50');
      const { rules } = await askApi('GET', '/v1/revocations/standing');
      const newest = card('Rules in force');
      const live = revocations.find(({ state }: { state: string }) => state === 'live');
      expect(await newest.innerText()).toContain(live.reason);
      expect(await newest.getByRole('link', { name: /^all / }).allInnerTexts()).toEqual([`all ${rules}`]);
    });

    await card('The service')
      .getByText(/^applied by 1 node and \d+ guards?/)
      .waitFor();

    const [coverage, { users }, { total }] = await Promise.all(answered);
    await card('What we do not see').getByText(coverage.findings[0].says).waitFor();
    await card('What we do not see').getByText(String(coverage.findings.length), { exact: true }).waitFor();

    await card('Now').getByText(count(users), { exact: true }).waitFor();
    await card('Now').getByText(count(total.accesses), { exact: true }).waitFor();

    await card('The service').getByText('database, serving').waitFor();
    await card('The service').getByText('hears of findings and rules at once').waitFor();
    expect(faults).toEqual([]);
  });

  it('tells what is new since a time that the URL names', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/?since=24h' });
    await page.getByText('In the last 24 hours.').waitFor();
    const asked = page.waitForRequest(/\/v1\/changes\?.*since=7d/);
    await page.getByRole('radiogroup', { name: 'Since' }).getByText('7 days').click();
    await asked;
    expect(search().get('since')).toBe('7d');
    const { items } = await askApi('GET', '/v1/changes?since=7d&limit=1');
    await page.getByRole('table', { name: 'What is new' }).getByText(items[0].client.client_id).first().waitFor();
  });

  it('begins with the end of the visit before, and with now when somebody has seen everything', async () => {
    const seen = Date.now() - 50 * HOUR_MS;
    const { page } = await openConsole(cleanups, {
      fresh: true,
      // A page that is loaded anew goes on with what the browser keeps.
      before: (opened) => opened.addInitScript(`localStorage.length || ${visitBefore(seen)}`),
    });
    await page.waitForResponse((answer) =>
      answer.url().includes(`since=${encodeURIComponent(new Date(seen).toISOString())}`),
    );
    await page.getByRole('button', { name: 'I have seen this' }).click();
    await page.getByText('Nothing new').waitFor();
    await page.reload();
    await page.getByText('Nothing new').waitFor();
  });

  it('follows what others do, and nothing else moves', async () => {
    const [first] = await openFindings();
    const { page, faults } = await openConsole(cleanups);
    const shown = page.getByRole('region', { name: 'Open findings' });
    await shown.locator(`a[href*="${first!.id}"]`).waitFor();
    await page.getByText('hears of findings and rules at once').waitFor();
    await settled(page);
    const top = async (name: string) => (await page.getByRole('region', { name, exact: true }).boundingBox())!.y;
    const before = [await top('Now'), await top('What is new')];
    await askApi('POST', `/v1/findings/${first!.id}`, { state: 'acknowledged' });
    cleanups.push(() => askApi('POST', `/v1/findings/${first!.id}`, { state: 'open' }));
    // Without the stream the page would ask again after 30 s.
    await shown.locator(`a[href*="${first!.id}"]`).waitFor({ state: 'detached', timeout: 10_000 });
    expect([await top('Now'), await top('What is new')]).toEqual(before);
    expect(faults).toEqual([]);
  });

  it.each([390, 1280])('fits %d pixels', async (width) => {
    const { page } = await openConsole(cleanups, { path: '/?since=7d', width });
    await page.getByRole('table', { name: 'What is new' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });
});
