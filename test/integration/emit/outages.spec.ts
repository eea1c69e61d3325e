import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createProducer, httpTransport, type Producer } from '../../../src/emit/index.js';
import { startReceiver, type Behaviour } from './receiver.js';

const SOURCE = 'https://idp.example';

const behaviour = fc.constantFrom<Behaviour>(
  'take',
  'take-and-reset',
  'take-and-reset-mid-answer',
  'take-and-answer-garbage',
  'take-half-and-answer-short',
  'reset',
  'hang',
  'garbage',
  'unavailable',
  'too-many-requests',
  'too-large',
  'not-rescind',
  'forbidden',
);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('emit' as const),
      count: fc.integer({ min: 1, max: 30 }),
      size: fc.integer({ min: 1, max: 600 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.integer({ min: 0, max: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('restart' as const), timeoutMs: fc.integer({ min: 1, max: 10 }) }),
  },
);

const world = fc.record({
  // A long outage, as well as single failures.
  outage: fc.array(fc.tuple(behaviour, fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  maxWaiting: fc.integer({ min: 5, max: 80 }),
  maxBatch: fc.integer({ min: 1, max: 40 }),
  spool: fc.option(fc.record({ maxBytes: fc.integer({ min: 2_000, max: 60_000 }), always: fc.boolean() }), {
    nil: undefined,
  }),
});

describe('a producer, whatever the other side does', () => {
  it('every accepted event arrives in order and exactly once at a receiver that knows duplicates, or is reported as refused or dropped', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ outage, steps, maxWaiting, maxBatch, spool }) => {
        const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
        const behaviours = outage.flatMap(([one, times]) => Array.from({ length: times }, () => one));
        const receiver = await startReceiver({
          behave: (request) => behaviours[request] ?? 'take',
          refuses: ({ id }) => Number(id) % 17 === 0 && 'wrong-issuer',
        });
        const [told, toldTwice, maybeArrived] = [new Map<string, string>(), [] as string[], new Set<string>()];
        const tell = (id: string, what: string): void => {
          if (told.has(id)) toldTwice.push(id);
          told.set(id, what);
        };
        const start = (): Producer =>
          createProducer({
            source: SOURCE,
            transport: httpTransport({ url: receiver.url, credentials: { bearer: 'k' }, timeoutMs: 25 }),
            maxWaiting,
            maxBatch,
            flushMs: 1,
            retry: { firstMs: 1, maxMs: 4 },
            ...(spool === undefined ? {} : { spool: { directory, ...spool } }),
            onDropped: ({ event, reason }) => {
              tell(event!.id, reason);
              // One of an attempt that was under way.
              if (reason === 'closed') maybeArrived.add(event!.id);
            },
            onRefused: ({ event, code }) => {
              tell(event.id, code);
              // Alone in a request that was refused as a whole, after one whose answer was lost.
              if (code === 'too-large') maybeArrived.add(event.id);
            },
          });
        const accepted: string[] = [];
        let producer = start();
        try {
          for (const one of steps) {
            if (one.do === 'emit') {
              for (let n = 0; n < one.count; n++) {
                const id = String(accepted.length + 1);
                accepted.push(
                  producer.emit('token.revoked', { iss: SOURCE, jti: id, reason: 'r'.repeat(one.size) }, { id }),
                );
                if (n % 10 === 9) await tick();
              }
            } else if (one.do === 'pause') await new Promise((resolve) => setTimeout(resolve, one.ms));
            else {
              const { spooled } = await producer.close({ timeoutMs: one.timeoutMs });
              producer = start();
              expect(producer.stats().recovered).toBe(spooled);
            }
          }
          await producer.flush();
          const stats = producer.stats();
          expect(stats.waiting).toBe(0);
          expect(stats.accepted + stats.recovered).toBe(stats.delivered + stats.refused + stats.dropped);
          if (spool !== undefined) expect(stats.spoolBytes).toBeLessThanOrEqual(spool.maxBytes);
        } finally {
          await producer.close({ timeoutMs: 1 });
          await receiver.stop();
          await rm(directory, { recursive: true });
        }

        const arrived = receiver.received.map(({ id }) => id);
        // An event that a closing producer gave up while it was under way may arrive after the events of the next producer.
        const ordered = arrived.filter((id) => !maybeArrived.has(id));
        expect(ordered).toEqual([...ordered].sort((one, other) => Number(one) - Number(other)));
        const lost = accepted.filter((id) => !told.has(id) && !arrived.includes(id));
        const both = arrived.filter((id) => told.has(id) && !maybeArrived.has(id));
        expect([lost, both, toldTwice]).toEqual([[], [], []]);
        expect(arrived.every((id) => accepted.includes(id))).toBe(true);
      }),
      { numRuns: Number(process.env['EMIT_RUNS'] ?? 100), endOnFailure: true, timeout: 20_000 },
    );
  }, 300_000);
});
