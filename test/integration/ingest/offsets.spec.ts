import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventDataOf } from '../../../src/contracts/index.js';
import { accept, createOffsetStore, type OffsetStore } from '../../../src/ingest/index.js';
import type { OffsetMove, Submission } from '../../../src/ingest/append/submission.js';
import { createStage, fromIdp, idJag, type Stage } from '../../support/stage.js';

const CLUSTER = 'spec';
const TOPIC = 'rescind.events.idp';

let stage: Stage;
let offsets: OffsetStore;
let partition = 0;
beforeAll(async () => {
  stage = await createStage();
  offsets = createOffsetStore({ pool: stage.database.pool });
});
afterAll(() => stage.stop());
beforeEach(() => {
  partition += 1;
});

const move = (held: bigint, next: bigint, over: Partial<OffsetMove> = {}): OffsetMove => ({
  cluster: CLUSTER,
  topic: TOPIC,
  partition,
  held,
  next,
  lastOffset: next - 1n,
  lastSha256: Buffer.alloc(32, 1),
  ...over,
});

function submission(offset: OffsetMove, jti: string, over: Partial<EventDataOf['id-jag.issued']> = {}): Submission {
  const bytes = Buffer.from(JSON.stringify(fromIdp('id-jag.issued', idJag({ jti, ...over }))));
  const headers = [['content-type', Buffer.from('application/cloudevents+json')]] as const;
  return {
    events: [
      accept(
        { mode: 'structured', headers, door: { kind: 'kafka', topic: TOPIC }, bytes },
        stage.follower.state,
        Date.now(),
      ),
    ],
    offset,
  };
}

/** `stored`, or how it was refused. */
const outcomeOf = (submitted: Submission): Promise<string> =>
  stage.appender.submit(submitted).then(
    ([outcome]) => outcome!.state,
    (error: unknown) => (error as Error).name,
  );
const stored = async (jti: string): Promise<boolean> =>
  ((await stage.database.pool.query(`SELECT 1 FROM id_jag WHERE facts->>'jti' = $1`, [jti])).rowCount ?? 0) > 0;
const stands = async () => {
  const { next, stopped } = (await offsets.read(CLUSTER, TOPIC, partition))!;
  return { next, stopped };
};

describe('the place of a partition', () => {
  it('is not moved by a batch that was under way when the partition was stopped', async () => {
    expect(await outcomeOf(submission(move(0n, 5n), 'before-the-stop'))).toBe('sequenced');
    expect(await offsets.stop(CLUSTER, TOPIC, partition, 'spec', 5n)).toBe(true);
    expect(await outcomeOf(submission(move(5n, 9n), 'under-way'))).toBe('OffsetLost');
    expect([await stands(), await stored('under-way')]).toEqual([{ next: 5n, stopped: 'spec' }, false]);
  });

  it('is resumed only if it is stopped, and only at the position that the operator saw', async () => {
    expect(await outcomeOf(submission(move(0n, 5n), 'running'))).toBe('sequenced');
    expect(await outcomeOf(submission(move(5n, 20n, { resumes: true }), 'resumed-running'))).toBe('OffsetLost');
    expect(await stands()).toEqual({ next: 5n, stopped: null });
    await offsets.stop(CLUSTER, TOPIC, partition, 'spec', 5n);
    expect(await outcomeOf(submission(move(4n, 20n, { resumes: true }), 'resumed-elsewhere'))).toBe('OffsetLost');
    expect(await outcomeOf(submission(move(5n, 20n, { resumes: true }), 'resumed'))).toBe('sequenced');
    expect([await stands(), await stored('resumed-running'), await stored('resumed')]).toEqual([
      { next: 20n, stopped: null },
      false,
      true,
    ]);
  });

  it('is not stopped if the partition has moved on meanwhile', async () => {
    expect(await outcomeOf(submission(move(0n, 5n), 'moved'))).toBe('sequenced');
    expect(await offsets.stop(CLUSTER, TOPIC, partition, 'spec', 4n)).toBe(false);
    expect(await stands()).toEqual({ next: 5n, stopped: null });
  });

  it('is moved by the submissions of one batch as long as each follows the previous one', async () => {
    // The first is under way when the others come, so that they share the next batch.
    const first = outcomeOf(submission(move(0n, 1n), 'alone'));
    const others = [move(1n, 3n), move(3n, 4n), move(7n, 9n)].map((one, nth) =>
      outcomeOf(submission(one, `shared-${nth}`)),
    );
    expect([await first, ...(await Promise.all(others))]).toEqual([
      'sequenced',
      'sequenced',
      'sequenced',
      'OffsetLost',
    ]);
    expect([await stands(), await stored('shared-1'), await stored('shared-2')]).toEqual([
      { next: 4n, stopped: null },
      true,
      false,
    ]);
  });
});
