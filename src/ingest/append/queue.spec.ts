import { describe, expect, it } from '@jest/globals';
import type { LogIndex } from '../../log/index.js';
import { createSubmissionQueue, type Waiting } from './queue.js';
import type { Judged, OffsetMove, Outcome, Submission } from './submission.js';
import { MAX_WAITING_EVENTS } from './waiting-room.js';

const OUTCOMES: readonly Outcome[] = [{ state: 'duplicate', index: 7n as LogIndex }];

const caller = { kind: 'http', caller: { tenant: 'acme', id: 'poster' } };
const posted = (events = 1): Submission => ({
  events: Array.from(
    { length: events },
    () => ({ arrived: { bytes: Buffer.alloc(1), door: caller } }) as never as Judged,
  ),
});
const read = (topic: string): Submission => ({
  events: [{ arrived: { bytes: Buffer.alloc(1), door: { kind: 'kafka', topic } } } as never as Judged],
  offset: { topic, partition: 0 } as OffsetMove,
});

interface Written {
  readonly submissions: readonly Submission[];
  readonly batch: readonly Waiting[];
  readonly isApart: boolean;
  /** Answers the batch and ends its write. */
  readonly end: (refused?: boolean) => void;
}

function given() {
  const batches: Written[] = [];
  const placed: Submission[] = [];
  const sut = createSubmissionQueue({
    write: (batch, isApart) =>
      new Promise((resolve) => {
        const end = (refused = false): void => {
          for (const one of batch) one.resolve(OUTCOMES);
          resolve(refused);
        };
        batches.push({ submissions: batch.map(({ submission }) => submission), batch, isApart, end });
      }),
    onPlace: (submission) => placed.push(submission),
  });
  /** Returns the nth batch once it is being written. */
  const written = async (nth: number): Promise<Written> => {
    while (batches.length <= nth) await new Promise((resolve) => setImmediate(resolve));
    return batches[nth]!;
  };
  return { sut, batches, placed, written };
}

describe('the queue of submissions', () => {
  it('makes a batch of what came while the last one was written', async () => {
    const { sut, batches, placed, written } = given();
    const [first, second, third] = [posted(), posted(), read('t')];
    const answers = [first, second, third].map((one) => sut.submit(one));
    expect(batches.map(({ submissions }) => submissions)).toEqual([[first]]);
    batches[0]!.end();
    const next = await written(1);
    expect(next.submissions).toEqual([second, third]);
    next.end();
    expect(await Promise.all(answers)).toEqual([OUTCOMES, OUTCOMES, OUTCOMES]);
    expect(placed).toEqual([first, second, third]);
    expect(sut.events).toBe(0);
  });

  it('writes a speaker apart, in order, until a batch of it has no refusal', async () => {
    const { sut, batches, written } = given();
    const [bad, later, other, last] = [read('bad'), read('bad'), read('good'), read('bad')];
    for (const one of [bad, later, other]) void sut.submit(one);
    sut.setApart(batches[0]!.batch);
    const apart = await written(1);
    expect([apart.isApart, apart.submissions]).toEqual([true, [bad, later]]);
    batches[0]!.end(true);
    const beside = await written(2);
    expect([beside.isApart, beside.submissions]).toEqual([false, [other]]);
    beside.end();
    apart.end();
    await new Promise((resolve) => setImmediate(resolve));
    void sut.submit(last);
    const again = await written(3);
    expect([again.isApart, again.submissions]).toEqual([false, [last]]);
    again.end();
  });

  it('refuses HTTP what has no room, and never Kafka', async () => {
    const { sut, placed, written } = given();
    void sut.submit(read('t'));
    void sut.submit(posted(MAX_WAITING_EVENTS));
    await expect(sut.submit(posted())).rejects.toMatchObject({ code: 'overloaded' });
    void sut.submit(read('t'));
    expect(placed).toHaveLength(3);
    (await written(0)).end();
  });

  it('writes an empty batch when it is woken', async () => {
    const { sut, written } = given();
    sut.wake();
    expect((await written(0)).submissions).toEqual([]);
  });

  it('finishes what was submitted and refuses what comes later', async () => {
    const { sut, batches, written } = given();
    const answers = [sut.submit(posted()), sut.submit(posted())];
    const stopped = sut.stop();
    await expect(sut.submit(posted())).rejects.toMatchObject({ code: 'shutting-down' });
    batches[0]!.end();
    (await written(1)).end();
    await stopped;
    expect(await Promise.all(answers)).toHaveLength(2);
  });
});
