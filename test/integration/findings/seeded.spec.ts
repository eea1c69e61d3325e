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

/** Tokens whose uses a finding is about. */
async function tokensOf({
  token,
  user,
  client,
  resource,
  first_seen,
  last_seen,
}: FindingItem): Promise<readonly string[]> {
  if (token !== null) return [token];
  const named = { user: user?.entity, client: client?.entity, resource: resource?.entity };
  const filter = Object.entries(named).flatMap(([name, id]) => (id === undefined ? [] : [`${name}=${id}`]));
  const to = new Date(Date.parse(last_seen) + 1_000).toISOString();
  const { body } = await sut.get(`/v1/access?${[...filter, `from=${first_seen}`, `to=${to}`, 'limit=10'].join('&')}`);
  return [...new Set<string>(body.items.map((use: { token: string }) => use.token))];
}

describe('the rule of a finding', () => {
  const stoppedBy = async (token: string): Promise<readonly string[]> =>
    (await sut.get(`/v1/tokens/${token}`)).body.stopped_by.map(({ rule }: { rule: string }) => rule);

  it('stops the tokens that the finding is about and no others, and its preview counts no more than it names', async () => {
    const stopped = new Set<string>();
    const { items } = (await sut.get('/v1/access?limit=100')).body;
    for (const finding of found.filter(({ stop }) => stop !== null)) {
      const { selector } = finding.stop! as { selector: Readonly<Record<string, unknown>> };
      const at = { kind: finding.kind, selector };
      const tokens = await tokensOf(finding);
      const before = await Promise.all(tokens.map(stoppedBy));
      const preview = await sut.post('/v1/revocations/preview', { selector });
      if ('user' in selector) expect({ at, fits: preview.users <= 1 }).toEqual({ at, fits: true });
      if ('token' in selector) expect({ at, fits: preview.tokens <= 1 }).toEqual({ at, fits: true });
      const confirm = preview.confirm === undefined ? {} : { confirm: preview.confirm };
      const { id } = await sut.post('/v1/revocations', { selector, reason: `finding ${finding.id}`, ...confirm });
      const rules = await Promise.all(tokens.map(stoppedBy));
      // An approval that nobody has used yet has no tokens.
      const isUnused = finding.kind === 'scopes-grew' && finding.details['how'] !== 'used';
      expect({ at, tokens: tokens.length > 0 || isUnused, rules: rules.map((one) => one.includes(id)) }).toEqual({
        at,
        tokens: true,
        rules: tokens.map(() => true),
      });
      expect(before.flat()).not.toContain(id);
      const others = items.filter(
        (use: Record<string, { entity: number } | null>) =>
          ('user' in selector && use['user']?.entity !== finding.user!.entity) ||
          ('client' in selector && use['client']?.entity !== finding.client!.entity),
      );
      for (const { token } of others.slice(0, 5))
        expect({ at, rules: await stoppedBy(token) }).not.toEqual({ at, rules: expect.arrayContaining([id]) });
      stopped.add(finding.kind);
    }
    expect([...stopped].sort()).toEqual(
      [...new Set(found.filter(({ stop }) => stop !== null).map(({ kind }) => kind))].sort(),
    );
    expect(stopped.size).toBeGreaterThan(5);
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
