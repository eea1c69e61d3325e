import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Caller, CallerRoles } from '../../control/index.js';
import { createLog } from '../../platform/log/index.js';
import type { CallerNetworks, KeyUse, OwedUse } from './caller-networks.pg.js';
import { createKeyUses } from './key-uses.js';

const NOON = Date.UTC(2026, 11, 1, 12);
const DAY_MS = 86_400_000;

const callerWith = (roles: CallerRoles, id = 'analyst'): Caller =>
  ({ tenant: 't', id, roles, secrets: [], disabled: false }) as Caller;
const AUDITOR = callerWith({ audit: {} });

/** A recorder over a table in memory, in which a caller has `most` networks. */
function given({ most = Number.MAX_SAFE_INTEGER }: { readonly most?: number } = {}) {
  const asked: KeyUse[] = [];
  const owed: OwedUse[] = [];
  const told: string[] = [];
  const lines: string[] = [];
  const world = { now: NOON, away: false, ledgerAway: false };
  const stored: CallerNetworks = {
    async record(use) {
      if (world.away) throw new Error('away');
      asked.push(use);
      if (asked.filter(({ caller }) => caller === use.caller).length > most) return 'full';
      owed.push({
        ...use,
        said: { caller: use.caller, key: use.key!, network: use.network, first: true, shared: false },
      });
      return 'recorded';
    },
    owed: async () => [...owed],
    told: async (row) => void owed.splice(owed.indexOf(row), 1),
  };
  const sut = createKeyUses({
    stored,
    tell: async ({ id }) => {
      if (world.ledgerAway) throw new Error('away');
      return BigInt(told.push(id));
    },
    tenants: () => [{ id: 't' }],
    log: createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } }),
    now: () => world.now,
    retryMs: 1,
  });
  const note = (address: string, caller = AUDITOR): void => sut.note({ caller, key: 'k', address });
  return { sut, note, asked, owed, told, lines, world };
}

describe('uses of keys', () => {
  it.each<[string, CallerRoles, number]>([
    ['audit', { audit: {} }, 1],
    ['revoke', { revoke: { tenant: true } }, 1],
    ['admin', { admin: {} }, 1],
    ['emit and audit', { emit: { sources: ['a'] }, audit: {} }, 1],
    ['emit', { emit: { sources: ['a'] } }, 0],
    ['introspect', { introspect: { resources: ['r'], issuers: ['i'] } }, 0],
    ['guard', { guard: { resources: ['r'], issuers: ['i'] } }, 0],
    ['revoke-own', { 'revoke-own': { clients: [{ iss: 'i', client_id: 'c' }] } }, 0],
  ])('of a caller with the role %s', async (_, roles, recorded) => {
    const { sut, note, asked } = given();
    note('203.0.113.7', callerWith(roles));
    await sut.stop();
    expect(asked).toHaveLength(recorded);
  });

  it('are recorded once a caller and network', async () => {
    const { sut, note, asked, told } = given();
    for (const address of ['203.0.113.7', '203.0.113.8', '127.0.0.1', '::1', '127.9.9.9', '::ffff:203.0.113.9'])
      note(address);
    note('203.0.113.7', callerWith({ admin: {} }, 'other'));
    note('unknown');
    await sut.stop();
    expect(asked.map(({ caller, network }) => `${caller} ${network}`)).toEqual([
      'analyst 203.0.113.0/24',
      'analyst 127.0.0.0/8',
      'other 203.0.113.0/24',
    ]);
    expect(told).toEqual(
      ['analyst-203.0.113.0/24', 'analyst-127.0.0.0/8', 'other-203.0.113.0/24'].map((name) => `key-${name}-${NOON}`),
    );
    note('203.0.113.7');
    expect(asked).toHaveLength(3);
  });

  it('are recorded again on another day, so that a network that is used stays known', async () => {
    const { sut, note, asked, world } = given();
    note('203.0.113.7');
    world.now += DAY_MS;
    note('203.0.113.7');
    await sut.stop();
    note('203.0.113.7');
    expect(asked.map(({ atMs }) => atMs)).toEqual([NOON, NOON + DAY_MS]);
  });

  it('name a person who has signed in, and no key', async () => {
    const { sut, asked } = given();
    const person = { iss: 'https://idp.example', sub: 'dana', authenticatedAt: 1 };
    sut.note({ caller: { ...AUDITOR, person }, address: '203.0.113.7' });
    await sut.stop();
    expect(asked).toEqual([
      {
        tenant: 't',
        caller: 'analyst',
        person: { iss: 'https://idp.example', sub: 'dana' },
        network: '203.0.113.0/24',
        atMs: NOON,
      },
    ]);
  });

  it('ask the database no more on the day on which a caller is in too many networks, and again on the next', async () => {
    const { sut, note, asked, lines, world } = given({ most: 3 });
    for (let nth = 0; nth < 50; nth++) note(`198.51.${nth}.7`);
    note('198.51.0.7', callerWith({ audit: {} }, 'other'));
    await sut.stop();
    expect(asked.map(({ caller }) => caller)).toEqual(['analyst', 'analyst', 'analyst', 'analyst', 'other']);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ tenant: 't', caller: 'analyst', networks: 20 }),
    ]);
    note('198.51.99.7');
    expect(asked).toHaveLength(5);
    world.now += DAY_MS;
    note('198.51.99.7');
    await sut.stop();
    expect(asked).toHaveLength(6);
  });

  it('that wait for the database are bounded', async () => {
    const { sut, note, asked } = given();
    for (let nth = 0; nth < 3_000; nth++) note(`10.${nth >> 8}.${nth & 255}.1`);
    await sut.stop();
    expect(asked).toHaveLength(1_000);
  });

  it('never fail a request, and are recorded and told when database and ledger are back', async () => {
    const { sut, note, owed, told, lines, world } = given();
    Object.assign(world, { away: true, ledgerAway: true });
    note('203.0.113.7');
    while (lines.length < 1) await delay(1);
    world.away = false;
    while (owed.length < 1) await delay(1);
    expect(told).toEqual([]);
    world.ledgerAway = false;
    while (owed.length > 0) await delay(1);
    await sut.stop();
    expect(told).toEqual([`key-analyst-203.0.113.0/24-${NOON}`]);
  });

  it('that a process left untold are told by the next one that starts, and a stop does not wait for a ledger that is away', async () => {
    const { sut, note, owed, told, world } = given();
    world.ledgerAway = true;
    note('203.0.113.7');
    await sut.stop();
    expect([owed.length, told]).toEqual([1, []]);
    world.ledgerAway = false;
    sut.start();
    await sut.stop();
    expect([owed.length, told]).toEqual([0, [`key-analyst-203.0.113.0/24-${NOON}`]]);
  });
});
