import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { MIN_LEASE_MS } from '../../../src/control/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { createTestDatabase, testLog } from '../../support/services.js';
import { run } from './run.js';
import { SCENARIOS } from './scenarios.js';
import { RUN_TRAPS, SCENARIO_TRAPS, setTrap, trapOfTheDay, TRAPS } from './traps.js';

const DAY_MS = 86_400_000;
/** A run ends with what it finds, most within a minute; far more only fails. */
const MAX_RUN_MS = 720_000;
const TEST_TIMEOUT_MS = 900_000;

async function isBrokenIn(product: string, name: string): Promise<boolean> {
  const database = await createTestDatabase();
  const session = new Client({ connectionString: database.url });
  try {
    await runMigrations({ url: database.url, migrations: MIGRATIONS });
    await session.connect();
    return await SCENARIOS[name]!({ product, url: database.url, session, log: testLog() });
  } finally {
    await session.end();
    await database.drop();
  }
}

describe('a scenario finds that a line of the protocol is missing', () => {
  it('every trap that no run finds has a scenario', () => {
    expect(Object.keys(SCENARIOS).sort()).toEqual([...SCENARIO_TRAPS].sort());
  });

  it.each(SCENARIO_TRAPS)('%s', async (name) => {
    const broken = await setTrap(name, resolve('dist'));
    try {
      expect([await isBrokenIn(resolve('dist'), name), await isBrokenIn(broken, name)]).toEqual([false, true]);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });
});

describe('the trap of the day', () => {
  it('traps take turns by day, one can be named, and an unknown one is refused', () => {
    const days = RUN_TRAPS.map((_, at) => 20_000 + at);
    expect(days.map((day) => trapOfTheDay(day, undefined)).sort()).toEqual([...RUN_TRAPS].sort());
    expect(trapOfTheDay(20_000, 'no-wait')).toBe('no-wait');
    expect(() => trapOfTheDay(20_000, 'no-such')).toThrow(TypeError);
  });

  it(
    'a run finds it',
    async () => {
      const name = trapOfTheDay(Math.floor(Date.now() / DAY_MS), process.env['TRAP']);
      console.info(`trap ${name}: ${TRAPS[name]!.breaks}`);
      const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
      const product = await setTrap(name, resolve('dist'));
      try {
        const { verdict } = await run({
          product,
          seed: 1,
          checks: Number.MAX_SAFE_INTEGER,
          maxMs: MAX_RUN_MS,
          leaseSeconds: MIN_LEASE_MS / 1000,
          kinds: TRAPS[name]!.faults!,
          directory,
        });
        expect(verdict.stale).toBeGreaterThan(0);
      } finally {
        await rm(product, { recursive: true, force: true });
        await rm(directory, { recursive: true, force: true });
      }
    },
    TEST_TIMEOUT_MS,
  );
});
