import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createRangeKeeper } from '../../../src/log/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createQuestions } from '../../../src/query/index.js';
import type { TestTemplate } from '../../support/services.js';
import { histories, type Leap, type SaidBatch } from './as-of-histories.js';
import { AS_OF_QUESTIONS, type Deployment } from './as-of-questions.js';
import { ACME, createEmptyLedger, NOW, startQueryApi, T, writeHistory, type Said } from './history.js';

const RUNS = Number(process.env['RUNS'] ?? 6);
/** One that meets all that is counted below; others by hand. */
const SEED = Number(process.env['SEED'] ?? 3);
const BLOCK = 65_536n;
/** Number of indexes from one snapshot of the pairs to the next. */
const FAR = 16n * BLOCK;
/** Arrival of the first entry, epoch milliseconds: everything said had happened by then. */
const FIRST_ARRIVAL = (T + 90_000) * 1_000;

let registered: Awaited<ReturnType<typeof startQueryApi>>;
let template: TestTemplate;
beforeAll(async () => {
  registered = await startQueryApi([]);
  template = await createEmptyLedger(({ pool }) => {
    const onError = (error: unknown): never => {
      throw error;
    };
    return createRangeKeeper({ pool, onError }).ensure(60n * FAR);
  });
});
afterAll(async () => {
  await template.drop();
  await registered.stop();
});

interface Ledger extends Deployment {
  /** Writes one batch from an index on; answers with the indexes of what was new. */
  write(said: readonly Said[], from: bigint): Promise<readonly bigint[]>;
  drop(): Promise<void>;
}

async function createLedger(): Promise<Ledger> {
  const { pool, drop } = await template.copy();
  let head = 0n;
  let arrivals = 0;
  return {
    pool,
    questions: createQuestions({ pool, control: registered.control, now: () => NOW }),
    head: () => head,
    async write(said, from) {
      // The ledger has no holes; here it has, so that few events fill many blocks.
      await pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [ACME, String(from)]);
      // Both ledgers have the same arrivals: an entry's own is its place among all.
      const indexes = await inTransaction(pool, (client) =>
        writeHistory(client, said, () => FIRST_ARRIVAL + arrivals++ * 1_000),
      );
      head = indexes.length === 0 ? head : indexes.at(-1)! + 1n;
      return indexes;
    },
    drop,
  };
}

/** Leaps to the last two indexes of a stretch, so that the next batch and those after it close the stretch. */
function leapFrom(head: bigint, leap: Leap): bigint {
  if (leap === 'none') return head;
  const length = leap === 'far' ? FAR : BLOCK;
  const edge = (head / length + 1n) * length - 2n;
  return edge > head ? edge : head;
}

it('an answer as of an index equals that of a deployment with no later entries', async () => {
  const seen = {
    moments: 0,
    closedBlocks: 0,
    snapshots: 0,
    boundLate: 0,
    agentsLate: 0,
    foreign: 0,
    foreignLate: 0,
    duplicates: 0,
  };
  await fc.assert(
    fc.asyncProperty(histories, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), async (history, pauses) => {
      const whole = await createLedger();
      const fresh = await createLedger();
      try {
        const written = await writeAll(whole, history, seen);
        for (const [nth, { said, ix }] of written.entries()) {
          expect(await fresh.write([said], ix)).toEqual([ix]);
          if (pauses[nth % pauses.length]) continue;
          const asOf = ix + 1n;
          seen.moments += 1;
          seen.closedBlocks += asOf / BLOCK > written[0]!.ix / BLOCK ? 1 : 0;
          for (const { name, ask } of AS_OF_QUESTIONS) {
            const [past, present] = await Promise.all([ask(whole, asOf), ask(fresh, asOf)]);
            expect({ name, asOf, answer: past }).toEqual({ name, asOf, answer: present });
          }
        }
        const { rows } = await whole.pool.query(
          `SELECT (SELECT count(*) FROM edge_cum)::int AS snapshots, (SELECT count(*) FROM access WHERE bound_ix > ix)::int AS late,
                  (SELECT count(*) FROM access WHERE agent_ix IS NOT NULL)::int AS agents,
                  (SELECT count(*) FROM access WHERE foreign_ix IS NOT NULL)::int AS "foreign", (SELECT count(*) FROM access WHERE foreign_ix > ix)::int AS foreign_late`,
        );
        seen.snapshots += rows[0].snapshots;
        seen.boundLate += rows[0].late;
        seen.agentsLate += rows[0].agents;
        seen.foreign += rows[0].foreign;
        seen.foreignLate += rows[0].foreign_late;
      } finally {
        await whole.drop();
        await fresh.drop();
      }
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
}, 400_000);

async function writeAll(
  ledger: Ledger,
  history: readonly SaidBatch[],
  seen: { duplicates: number },
): Promise<{ said: Said; ix: bigint }[]> {
  const written: { said: Said; ix: bigint }[] = [];
  let from = 0n;
  for (const { said, leap } of history) {
    const known = new Set(written.map((one) => JSON.stringify(one.said)));
    const fresh = said.filter((one) => !known.has(JSON.stringify(one)) && known.add(JSON.stringify(one)));
    seen.duplicates += said.length - fresh.length;
    const indexes = await ledger.write(said, from);
    expect(indexes).toHaveLength(fresh.length);
    written.push(...fresh.map((one, nth) => ({ said: one, ix: indexes[nth]! })));
    from = leapFrom(ledger.head(), leap);
  }
  return written;
}
