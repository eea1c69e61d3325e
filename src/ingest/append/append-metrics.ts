import { REJECT_CODES, type EventName } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Item } from './submission.js';
import type { DoorName } from './waiting-room.js';
import type { Written } from './write-batch.pg.js';

const DOORS: readonly DoorName[] = ['http', 'kafka'];

export interface AppendMetrics {
  /** Counts what was written, and the outcomes of the items. */
  written(written: Written, items: readonly Item[]): void;
  /** Measures one batch, which began at `startedAt` of `performance.now()`. */
  batch(events: number, startedAt: number): void;
}

export function createAppendMetrics(metrics: Metrics, state: ControlState, waitingEvents: () => number): AppendMetrics {
  const counted = metrics.counter('rescind_ingest_events_total', 'Events by outcome and door.', [
    'outcome',
    'door',
    'type',
  ]);
  const rejects = metrics.counter('rescind_ingest_rejected_total', 'Refused events by reason and door.', [
    'code',
    'door',
  ]);
  // A counter that first appears with a value has no rate for that value, so every series starts at 0.
  for (const code of Object.keys(REJECT_CODES)) for (const door of DOORS) rejects.inc({ code, door }, 0);
  const routesOver = metrics.counter(
    'rescind_ingest_routes_over_total',
    'Uses of routes beyond the number that a source may bring.',
    ['source'],
  );
  const foreignUses = metrics.counter(
    'rescind_ingest_foreign_uses_total',
    'Uses that a source reported of tokens whose audience is none of its resources; attributed to nobody.',
    ['source'],
  );
  const batchSize = metrics.histogram(
    'rescind_ingest_batch_events',
    'Events of one transaction.',
    [],
    [1, 10, 100, 500, 1000, 2000, 4000, 8000],
  );
  const batchSeconds = metrics.histogram('rescind_ingest_batch_seconds', 'Duration of one batch.', []);
  const numbers = metrics.gauge(
    'rescind_sequence_findings',
    'Numbers of the sequence of a source that have not come, came twice, or were given up.',
    ['source', 'finding'],
  );
  metrics.gauge('rescind_ingest_waiting_events', 'Events that wait for their batch.', [], waitingEvents);

  function countOutcomes(items: readonly Item[]): void {
    for (const { judged, outcome } of items) {
      const door = judged.arrived.door.kind;
      const type = judged.accepted ? (judged.name satisfies EventName) : 'none';
      counted.inc({ outcome: outcome!.state, door, type });
      if (outcome!.state === 'rejected') rejects.inc({ code: outcome!.code, door });
    }
  }

  /** Reports sequence gaps as of the last batch in which the source numbered an event. `query` reads the state of all sources. */
  function tellSequences(sequences: Written['sequences']): void {
    for (const { source: id, missing, repeated, givenUp } of sequences) {
      const source = state.source(id)!.name;
      numbers.set({ source, finding: 'missing' }, missing);
      numbers.set({ source, finding: 'repeated' }, repeated);
      numbers.set({ source, finding: 'given-up' }, givenUp);
    }
  }

  return {
    written(written, items) {
      for (const [source, uses] of written.routesOver) routesOver.inc({ source }, uses);
      for (const [source, uses] of written.foreignUses) foreignUses.inc({ source }, uses);
      countOutcomes(items);
      tellSequences(written.sequences);
    },
    batch(events, startedAt) {
      batchSize.observe(events);
      batchSeconds.observe((performance.now() - startedAt) / 1000);
    },
  };
}
