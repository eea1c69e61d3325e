import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXAMPLES, makeQuestionsPage, PAGE, type Page } from '../../pages/questions-page.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';

const MINUTES = 600_000;
/** Routes of the API that are no question of the security team and have no example; exports and evidence are lines for programs, the ledger's key and checkpoint differ each time, and rules are orders. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  '/v1/quarantine/{id}',
  '/v1/evidence',
  '/v1/export/ocsf',
  '/v1/ledger',
  '/v1/revocations',
  '/v1/revocations/{id}',
  '/v1/revocations/standing',
]);

let database: TestDatabase;
let page: Page;

beforeAll(async () => {
  database = await createTestDatabase();
  page = await makeQuestionsPage({ databaseUrl: database.url, log: testLog() });
}, MINUTES);

afterAll(async () => database?.drop());

describe('the page of questions', () => {
  it('equals the present answers of the API byte for byte: `npm run questions` writes it again', async () => {
    expect(await readFile(PAGE, 'utf8')).toBe(page.text);
    expect(await readFile(EXAMPLES, 'utf8')).toBe(page.examples);
  });

  it('has an example of every question', () => {
    const questions = page.documented.filter((path) => !NOT_ASKED.has(path) && !isRegistry(path));
    expect(questions.filter((path) => !page.paths.includes(path))).toEqual([]);
    expect(questions.length).toBeGreaterThan(10);
  });

  it('shows no secret', () => {
    expect(page.text).not.toMatch(/rsk_|eyJ[A-Za-z0-9_-]{10}/);
  });
});

const isRegistry = (path: string): boolean => /^\/v1\/(?:sources|callers|tenants|erasures)(?:\/\{[^}]+\})?$/.test(path);
