import { expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createFollowed } from './followed.js';
import type { Snapshot } from '../../projections/index.js';

/** A fact, and the index of the entry that brought it. */
interface Fact {
  readonly ix: number;
  readonly what: string;
}

/** The tables of one tenant. A rebuild replaces them, and may bring other facts. */
interface Tables {
  readonly generation: string;
  readonly facts: readonly Fact[];
  readonly head: number;
}

const TENANTS = ['acme', 'globex'] as const;
const MAX_FACTS = 12;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      facts: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const), lost: fc.nat(4) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), share: fc.constantFrom(1, 1, 0.8, 0.3) }) },
);
const history = fc.array(fc.tuple(fc.constantFrom(...TENANTS), step), { minLength: 5, maxLength: 40 });

/** Follows tables in memory. Each read takes a turn of the scheduler, as a statement takes a round trip. */
function createModel(turn: () => Promise<void>) {
  const seen = { reads: 0, fromMemory: 0, tooMany: 0 };
  const snapshots = new WeakMap<Snapshot, Tables>();
  const follow = createFollowed<readonly Fact[]>({
    none: Object.freeze([]),
    sizeOf: (known) => known.length,
    maxSize: 2 * MAX_FACTS,
    async learn(known, snapshot, from, index) {
      await turn();
      seen.reads += 1;
      const news = snapshots.get(snapshot)!.facts.filter(({ ix }) => ix >= from && ix < index);
      await turn();
      const all = Object.freeze([...known, ...news]);
      if (all.length > MAX_FACTS) seen.tooMany += 1;
      return all.length > MAX_FACTS ? undefined : all;
    },
  });
  return {
    seen,
    async ask(tenant: string, tables: Tables, index: number): Promise<readonly Fact[]> {
      const snapshot = { tenant, index: BigInt(index), tables: tables.generation } as unknown as Snapshot;
      snapshots.set(snapshot, tables);
      const before = seen.reads;
      await turn();
      const followed = await follow(snapshot);
      if (followed === undefined) return tables.facts.filter(({ ix }) => ix < index);
      expect(followed.upTo).toBeGreaterThanOrEqual(index);
      if (seen.reads === before && index > 0) seen.fromMemory += 1;
      return followed.known.filter(({ ix }) => ix < index);
    },
  };
}

it('knows what a fresh read finds, whatever is written, rebuilt and asked meanwhile', async () => {
  const seen = { reads: 0, fromMemory: 0, tooMany: 0, rebuilds: 0, past: 0 };
  await fc.assert(
    fc.asyncProperty(history, fc.scheduler(), async (steps, scheduler) => {
      const model = createModel(() => scheduler.schedule(Promise.resolve()));
      const tables = new Map<string, Tables>(
        TENANTS.map((tenant) => [tenant, { generation: '0', facts: [], head: 0 }]),
      );
      let told = 0;
      const questions: Promise<void>[] = [];
      for (const [tenant, one] of steps) {
        const { generation, facts, head } = tables.get(tenant)!;
        if (one.do === 'write') {
          // An entry may bring several facts or none.
          const news = one.facts.flatMap((many, nth) =>
            Array.from({ length: many ? 2 : 0 }, (): Fact => ({ ix: head + nth, what: `${tenant} ${told++}` })),
          );
          tables.set(tenant, { generation, facts: [...facts, ...news], head: head + one.facts.length });
        } else if (one.do === 'rebuild') {
          seen.rebuilds += 1;
          // All tenants share the tables.
          for (const [other, was] of tables)
            tables.set(other, {
              ...was,
              generation: String(Number(generation) + 1),
              facts: was.facts.slice(one.lost).map(({ ix }) => ({ ix, what: `${other} ${told++}` })),
            });
        } else {
          const index = Math.floor(head * one.share);
          if (index < head) seen.past += 1;
          const fresh = facts.filter(({ ix }) => ix < index);
          const asked = model.ask(tenant, tables.get(tenant)!, index);
          questions.push(asked.then((answer) => expect(answer).toEqual(fresh)));
          // Some questions end before the next step, others see later ones begin.
          if (told % 3 === 0) await scheduler.waitFor(asked);
        }
      }
      await scheduler.waitFor(Promise.all(questions));
      for (const name of ['reads', 'fromMemory', 'tooMany'] as const) seen[name] += model.seen[name];
    }),
    { numRuns: 500 },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
});
