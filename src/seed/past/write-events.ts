import { CLOUDEVENTS_MEDIA_TYPE, eventType, RescindError } from '../../contracts/index.js';
import { isRuleEvent, type ControlFollower } from '../../control/index.js';
import { accept, type Appender } from '../../ingest/index.js';
import type { RegisteredParties } from '../parties.js';
import type { SeedEvent } from '../seed-event.js';
import { createPace, type Pace } from './pace.js';
import { outboxEmpty } from './seed-ledger.pg.js';
import type { SeededSessions } from './seeded-clock.pg.js';

/** Events of one transaction: as many as the appender takes at a time. */
const BATCH_EVENTS = 2_000;

export interface Writing {
  /** In order of arrival. */
  readonly events: Iterable<SeedEvent>;
  readonly parties: Pick<RegisteredParties, 'uris' | 'caller'>;
  /** Longest time (seconds) between the first and the last arrival of a batch, whose events are all entered at the moment of the last. */
  readonly span: number;
  readonly onProgress?: ((sent: number, at: number) => void) | undefined;
}

export interface Written {
  readonly sent: number;
  readonly duplicates: number;
  /** Seconds spent on each step. */
  readonly pace: Pace;
}

export interface Doors {
  readonly sessions: SeededSessions;
  readonly follower: ControlFollower;
  readonly appender: Appender;
}

/** Judges, seals and enters the events at the times of their arrival. Rejects if one is refused. */
export async function writeEvents(
  { sessions, follower, appender }: Doors,
  { events, parties, span, onProgress }: Writing,
): Promise<Written> {
  const pace = createPace();
  let [sent, duplicates] = [0, 0];
  let writing: Promise<void> = Promise.resolve();
  for (const batch of pace.made(batches(events, span))) {
    const at = batch.at(-1)!.arrives;
    const judged = pace.judging(() =>
      batch.map((event) => {
        const one = judge(event, parties, follower, at);
        appender.prepare(one);
        return one;
      }),
    );
    // The next batch is made and judged while this one is written.
    await pace.waiting(writing);
    writing = pace.writing(async () => {
      await sessions.setClock(at);
      const outcomes = await appender.submit({ events: judged });
      const refused = outcomes.find((outcome) => outcome.state === 'rejected');
      if (refused?.state === 'rejected')
        throw new RescindError('internal', { detail: `an event was refused: ${refused.code} ${refused.detail}` });
      if (batch.some(({ name }) => isRuleEvent(name))) await outboxEmpty(sessions.pool);
      sent += batch.length;
      duplicates += outcomes.filter(({ state }) => state === 'duplicate').length;
      onProgress?.(sent, at);
    });
    // The failure surfaces when the next turn awaits `writing`.
    writing.catch(() => undefined);
  }
  await writing;
  return { sent, duplicates, pace: pace.soFar() };
}

function* batches(events: Iterable<SeedEvent>, span: number): Generator<SeedEvent[], void> {
  let batch: SeedEvent[] = [];
  for (const event of events) {
    if (batch.length === BATCH_EVENTS || (batch.length > 0 && event.arrives - batch[0]!.arrives > span)) {
      yield batch;
      batch = [];
    }
    batch.push(event);
    if (event.prompt) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

const CONTENT_TYPE = [['content-type', Buffer.from(CLOUDEVENTS_MEDIA_TYPE)]] as const;

function judge(
  { party, name, id, at, data }: SeedEvent,
  { uris, caller }: Writing['parties'],
  { state }: ControlFollower,
  nowS: number,
) {
  const event = {
    specversion: '1.0',
    type: eventType(name),
    source: uris.get(party)!,
    id,
    time: new Date(at * 1000).toISOString(),
    data,
  };
  return accept(
    {
      mode: 'structured',
      headers: CONTENT_TYPE,
      bytes: Buffer.from(JSON.stringify(event)),
      door: { kind: 'http', caller },
    },
    state,
    nowS * 1000,
  );
}
