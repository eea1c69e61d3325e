import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { openConsole } from '../console/open-console.js';
import { IDP, startOwnConsole, tokenOf, type OwnConsole } from './own-console.js';
import { readConfig } from '../../src/platform/config/index.js';
import { continueOnDatabase } from '../../src/cli/operate/ledger-on-database.js';
import { restoreFromTopic } from '../../src/main.js';
import { metricsWith } from '../support/metrics.js';
import { ownKafka, testLog } from '../support/services.js';
import { copyDatabase } from './database-copy.js';

const cleanups = cleanUp(afterEach);
const ofAll = cleanUp(afterAll);
const BEYOND_A_LEASE_MS = 30_000;
/** kafkajs takes its time to find that a broker is gone. */
const BROKER_MS = 240_000;
const USER = 'ana.lopes';

let own: OwnConsole;
let rule: string;
let user: string;
beforeAll(async () => {
  own = await startOwnConsole(ofAll);
  await own.say('token.issued', tokenOf(USER, 'notes'));
  const selector = { client: { iss: IDP, client_id: 'notes' } };
  rule = (await own.admin.post<{ id: string }>('/v1/revocations', { selector, reason: 'a lost laptop' })).id;
  const { items } = await own.admin.get<{ items: { kind: string; id: string }[] }>(`/v1/search?q=${USER}`);
  user = items.find(({ kind }) => kind === 'user')!.id;
});

const stopUrl = (sub: string): string => `/stop?${new URLSearchParams({ user: JSON.stringify({ iss: IDP, sub }) })}`;
const banner = (page: Page) => page.getByRole('status').filter({ hasText: 'degraded' });
/** The page may have missed the steps, and then knows no numbers. */
const inForce = (page: Page) => page.getByText(/^In force(?: on|:)/).first();
const rulesOf = async (reason: string): Promise<readonly { readonly id: string }[]> =>
  (
    await own.admin.get<{ revocations: { id: string; reason: string }[] }>('/v1/revocations?limit=50')
  ).revocations.filter((one) => one.reason === reason);
const open = (path: string, { at } = own) => openConsole(cleanups, { path, ...at });

describe('while the database is away', () => {
  it('open pages say so, keep what they show with its time, and recover by themselves', async () => {
    const shown: Readonly<Record<string, string | RegExp>> = {
      '/': 'a lost laptop',
      '/rules': 'a lost laptop',
      '/findings': 'No finding',
      [`/rules/${rule}`]: 'a lost laptop',
      [`/users/${user}`]: USER,
      [stopUrl(USER)]: 'live tokens',
    };
    const pages = await Promise.all(
      Object.entries(shown).map(async ([path, text]) => {
        const { page } = await open(path);
        await page.getByText(text).first().waitFor();
        return { page, text };
      }),
    );
    await own.postgres.stop();
    cleanups.push(() => own.postgres.start());
    for (const { page, text } of pages) {
      await banner(page).getByText('The database cannot be reached.').waitFor();
      expect(await banner(page).innerText()).toMatch(/was read at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC or later/);
      expect(await page.getByText(text).first().isVisible()).toBe(true);
    }
    await own.postgres.start();
    const asked = pages.map(({ page }) =>
      page.waitForResponse((answer) => /\/v1\/(?!stream)/.test(answer.url()) && answer.ok(), {
        timeout: BEYOND_A_LEASE_MS,
      }),
    );
    for (const { page } of pages) await banner(page).waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
    await Promise.all(asked);
  });

  it('a page that is opened says what cannot be read, and shows it when the database is back', async () => {
    await own.postgres.stop();
    cleanups.push(() => own.postgres.start());
    const { page } = await open(stopUrl(USER));
    await banner(page).getByText('The database cannot be reached.').waitFor();
    await page.getByText('database-unavailable').first().waitFor();
    expect(await banner(page).getByText('was read at').count()).toBe(0);
    await own.postgres.start();
    await page.getByRole('table', { name: 'What it hits' }).waitFor({ timeout: BEYOND_A_LEASE_MS });
    await banner(page).waitFor({ state: 'detached' });
  });

  it('an order is not known to be stored, and asking again orders it once', async () => {
    const { page } = await open(stopUrl('bo.ek'));
    await page.getByLabel('Reason').fill('ordered without a database');
    await own.postgres.stop();
    cleanups.push(() => own.postgres.start());
    await page.getByRole('button', { name: 'Order it' }).click();
    await page.getByText('It is not known whether this was done').waitFor({ timeout: BEYOND_A_LEASE_MS });
    expect(await inForce(page).count()).toBe(0);
    await own.postgres.start();
    await banner(page).waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
    await page.getByRole('button', { name: 'Ask again' }).click();
    await inForce(page).waitFor({ timeout: BEYOND_A_LEASE_MS });
    expect(await rulesOf('ordered without a database')).toHaveLength(1);
  });
});

describe('a process without a lease', () => {
  it('says so, and an order is stored and not in force until it has one again', async () => {
    const database = new Client({ connectionString: own.postgres.url });
    await database.connect();
    cleanups.push(() => database.end());
    const { page } = await open(stopUrl('cy.ray'));
    await page.getByLabel('Reason').fill('ordered without a lease');
    // Nobody can renew or read a lease.
    await database.query('BEGIN; LOCK TABLE node IN ACCESS EXCLUSIVE MODE');
    await banner(page).getByText('This process holds no lease.').waitFor({ timeout: BEYOND_A_LEASE_MS });
    expect(await banner(page).getByText('was read at').count()).toBe(0);
    await page.getByRole('button', { name: 'Order it' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'Stored, not yet in force' });
    await alert.getByText('not-confirmed').waitFor({ timeout: BEYOND_A_LEASE_MS });
    expect(await inForce(page).count()).toBe(0);
    await database.query('ROLLBACK');
    await banner(page).waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
    await page.getByRole('button', { name: 'Ask again' }).click();
    await alert.waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
    await inForce(page).waitFor({ timeout: BEYOND_A_LEASE_MS });
  });
});

describe('a node that confirms nothing', () => {
  it('keeps an order from being confirmed: the page says that it is stored, and asking again waits for the same rule', async () => {
    const database = new Client({ connectionString: own.postgres.url });
    await database.connect();
    cleanups.push(() => database.end());
    const node = randomUUID();
    await database.query("INSERT INTO node (id, name, lease_ms) VALUES ($1, 'silent', 4000)", [node]);
    const lives = setInterval(
      () => void database.query('UPDATE node SET counter = counter + 1 WHERE id = $1', [node]),
      200,
    );
    const leave = async (): Promise<void> => {
      clearInterval(lives);
      await database.query('DELETE FROM node WHERE id = $1', [node]);
    };
    cleanups.push(leave);
    const { page } = await open(stopUrl('nobody.unconfirmed'));
    const reason = 'ordered beside a silent node';
    await page.getByLabel('Reason').fill(reason);
    await page.getByRole('button', { name: 'Order it' }).click();
    await page.getByText('1 of 2 nodes confirmed.').waitFor();
    const alert = page.getByRole('alert');
    await alert.getByText('not-confirmed').waitFor({ timeout: BEYOND_A_LEASE_MS });
    const [stored] = await rulesOf(reason);
    expect(await alert.innerText()).toContain('Stored, not yet in force');
    expect(await alert.innerText()).toContain(stored!.id);
    await leave();
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page
      .getByText(/^In force/)
      .nth(1)
      .waitFor({ timeout: BEYOND_A_LEASE_MS });
    await alert.waitFor({ state: 'detached' });
    expect(await rulesOf(reason)).toEqual([
      expect.objectContaining({ id: new URL(page.url()).searchParams.get('rule') }),
    ]);
  });
});

describe('a service that is gone', () => {
  it('is missed by an open page, which shows what it knows', async () => {
    const { page } = await open('/rules');
    await page.getByText('a lost laptop').first().waitFor();
    await page.context().setOffline(true);
    await banner(page).getByText('The service does not answer.').waitFor({ timeout: BEYOND_A_LEASE_MS });
    expect(await page.getByText('a lost laptop').first().isVisible()).toBe(true);
    await page.context().setOffline(false);
    await banner(page).waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
  });
});

describe('a service with Kafka', () => {
  let kafka: Awaited<ReturnType<typeof ownKafka>>;
  let withKafka: OwnConsole;
  beforeAll(async () => {
    kafka = await ownKafka();
    ofAll.push(() => kafka.remove());
    await kafka.start();
    withKafka = await startOwnConsole(ofAll, { env: { KAFKA_BROKERS: kafka.brokers.join(',') } });
  }, BROKER_MS);

  it(
    'says what it means that Kafka is away, and an order works all the same',
    async () => {
      const { page } = await open(stopUrl('di.ng'), withKafka);
      await page.getByLabel('Reason').fill('ordered without Kafka');
      kafka.kill();
      await banner(page).getByText('Kafka cannot be reached.').waitFor({ timeout: BROKER_MS });
      expect(await banner(page).getByText('was read at').count()).toBe(0);
      await page.getByRole('button', { name: 'Order it' }).click();
      await inForce(page).waitFor();
      await kafka.start();
      await banner(page).waitFor({ state: 'detached', timeout: BROKER_MS });
    },
    BROKER_MS,
  );

  it(
    'says when its database was replaced by an old backup, when it may not start with it, and recovers when the rules are restored',
    async () => {
      const { admin, at, postgres, variables } = withKafka;
      const backup = await copyDatabase(postgres.url);
      const selector = { client: { iss: IDP, client_id: 'mail' } };
      const reason = 'ordered after the backup';
      await admin.post('/v1/revocations', { selector, reason });
      await metricsWith(at.url, /^rescind_topic_feed_lag_records\{topic="[^"]*control[^"]*"\} 0$/m);
      const { page: rules } = await open('/rules', withKafka);
      await rules.getByText(reason).first().waitFor();
      const { page: stop } = await open(stopUrl('el.ma'), withKafka);
      await stop.getByLabel('Reason').fill('ordered while fenced');

      await backup.restore();
      for (const page of [rules, stop]) {
        await banner(page)
          .getByText('an older or another database took the place')
          .waitFor({ timeout: BEYOND_A_LEASE_MS });
        expect(await banner(page).getByText('holds no lease').count()).toBe(0);
        expect(await banner(page).getByText('topics').count()).toBe(0);
      }
      await stop.getByRole('button', { name: 'Order it' }).click();
      await stop.getByRole('alert').filter({ hasText: 'Not ordered' }).getByText('nothing is stopped').waitFor();
      expect(await inForce(stop).count()).toBe(0);

      await withKafka.stop();
      const env = { ...process.env, ...variables };
      const again = spawn(process.execPath, ['dist/cli/rescind.js', 'serve'], { env, stdio: 'ignore' });
      cleanups.push(() => again.kill('SIGKILL'));
      await banner(rules)
        .getByText('its database lacks rules that were in force')
        .waitFor({ timeout: BEYOND_A_LEASE_MS });
      await banner(rules).getByText('rescind control restore --from-topic').waitFor();
      const { page: fresh } = await open('/rules', withKafka);
      await fresh.getByRole('heading', { name: 'not ready' }).waitFor();
      await fresh.getByText('control-log-behind').waitFor();

      const config = readConfig(variables);
      await restoreFromTopic(config, { log: testLog() });
      // The rules are back; entries that a signed checkpoint covers are not.
      await banner(rules)
        .getByText('its ledger does not continue the checkpoints')
        .waitFor({ timeout: BEYOND_A_LEASE_MS });
      await banner(rules).getByText('rescind ledger continue').waitFor();
      await continueOnDatabase(config, { tenant: 'default', reason: 'an old backup', log: testLog() });
      await rules.getByText(reason).first().waitFor({ timeout: BEYOND_A_LEASE_MS });
      // The page asks again by itself, but for a moment nobody listens, and only a browser with a screen goes on after that.
      while (!(await fresh.getByText(reason).first().isVisible()))
        await fresh.goto(rules.url()).then(
          () => fresh.getByText(reason).first().waitFor(),
          () => undefined,
        );
      for (const page of [rules, fresh]) {
        await banner(page).waitFor({ state: 'detached', timeout: BEYOND_A_LEASE_MS });
      }
    },
    BROKER_MS,
  );
});
