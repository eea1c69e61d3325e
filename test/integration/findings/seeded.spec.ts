import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FindingItem } from '../../../src/findings/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { startSeededApi, type SeededApi } from '../../support/seeded-api.js';

const END = Date.UTC(2026, 10, 20, 18) / 1000;
const EVENTS = 25_000;
const DAYS = 12;
const MINUTES = 600_000;

let database: TestDatabase;
let sut: SeededApi;
let found: readonly FindingItem[];

beforeAll(async () => {
  database = await createTestDatabase();
  sut = await startSeededApi({ databaseUrl: database.url, log: testLog(), events: EVENTS, days: DAYS, end: END });
  await sut.find();
  found = await allFindings();
}, MINUTES);

afterAll(async () => {
  await sut?.stop();
  await database?.drop();
});

async function allFindings(): Promise<readonly FindingItem[]> {
  const items: FindingItem[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const { body } = await sut.get(`/v1/findings?limit=100${cursor === undefined ? '' : `&cursor=${cursor}`}`);
    items.push(...body.items);
    cursor = body.next;
  }
  return items;
}

/** Names the parties of each incident, as its finding must. */
const INCIDENTS: Readonly<Record<string, Partial<Record<keyof FindingItem, unknown>>>> = {
  'stolen-agent-token': { kind: 'token-from-two-networks', user: { sub: 'nadia.rossi' } },
  'bulk-export': { kind: 'bulk-export', user: { sub: 'tariq.lindgren' } },
  'scopes-that-grew': { kind: 'scopes-grew', agent: { id: 'agent-doc-search' } },
  'use-after-revocation': { kind: 'use-after-rule', agent: { id: 'agent-sql-analyst' } },
  'dormant-connection': { kind: 'use-after-silence', client: { client_id: 'archive-at-vault' } },
  'second-hop': { kind: 'second-hop', user: { sub: 'hana.ito' } },
  probing: { kind: 'refusals', user: { sub: 'jonas.keller' } },
  leaver: { kind: 'use-after-rule', user: { sub: 'priya.mehta' } },
  'late-lineage': { kind: 'lineage-trouble', source: { name: 'learning' } },
  'lost-events': { kind: 'source-trouble', source: { name: 'press' } },
};

describe('the seeded organisation', () => {
  it.each(Object.entries(INCIDENTS))('%s is found', (_name, expected) => {
    expect(found).toContainEqual(matching(expected));
  });

  it('has few other findings', () => {
    expect(found.length).toBeLessThanOrEqual(50);
  });

  it('answers what each finding tells to see', async () => {
    for (const { kind, see } of found)
      expect({ kind, see, status: (await sut.get(see)).status }).toMatchObject({ status: 200 });
  });
});

const matching = (members: Readonly<Record<string, unknown>>): unknown =>
  expect.objectContaining(
    Object.fromEntries(
      Object.entries(members).map(([name, value]) => [
        name,
        typeof value === 'object' && value !== null ? expect.objectContaining(value as Record<string, unknown>) : value,
      ]),
    ),
  );
