import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MIN_LEASE_MS } from '../../../src/control/index.js';
import { FAULT_KINDS } from './faults.js';
import { rowOf } from './report.js';
import { run, type RunResult } from './run.js';

/** A million is asked by `npm run fault`; this shows that it can be. */
const CHECKS = 10_000;
/** Far beyond what it takes, and told apart by what it has seen. */
const TEST_TIMEOUT_MS = 900_000;
const MAX_RUN_MS = 720_000;
const LEASE_SECONDS = MIN_LEASE_MS / 1000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Characters of the evidence that are shown: the first violation, with its orders and the checks around it. */
const SHOWN = 20_000;

/** Expects a run without violations. Otherwise prints the seed and the evidence, because the directory is deleted. */
async function expectNothingFound(result: RunResult): Promise<void> {
  if (result.evidence !== undefined)
    console.error(JSON.stringify(rowOf(result)), (await readFile(result.evidence, 'utf8')).slice(0, SHOWN));
  expect([result.verdict.stale, result.verdict.wronglyInactive, result.stuck]).toEqual([0, 0, []]);
}

describe('introspection at three nodes, checked from outside while rules are ordered and lifted and each part is broken in turn', () => {
  it(
    'never says active after the answer to an order, nor inactive without an order',
    async () => {
      const seed = Date.now() % 1_000_000;
      console.info(`seed ${seed}`);
      const result = await run({
        product: resolve('dist'),
        seed,
        checks: CHECKS,
        maxMs: MAX_RUN_MS,
        leaseSeconds: LEASE_SECONDS,
        directory,
      });
      await expectNothingFound(result);
      const { verdict, faults, orders } = result;
      expect(verdict.checks).toBeGreaterThanOrEqual(CHECKS);
      for (const kind of FAULT_KINDS) expect([kind, faults[kind]]).toEqual([kind, expect.any(Number)]);
      expect(FAULT_KINDS.filter((kind) => faults[kind] === 0)).toEqual([]);
      // The run has asked in the ways that could have shown a violation.
      expect(result.viaKafka).toBeGreaterThan(0);
      expect(result.behind).toBeGreaterThan(CHECKS / 100);
      expect([verdict.afterAnswer > CHECKS / 20, verdict.active > CHECKS / 20]).toEqual([true, true]);
      expect(
        ['token', 'session', 'user', 'combination', 'revoke.recorded', 'lift.resume', 'all'].filter(
          (kind) => !orders[kind],
        ),
      ).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
