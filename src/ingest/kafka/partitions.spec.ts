import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../platform/log/index.js';
import { createPartitions, type Asker, type Partitions, type PartitionsOptions } from './partitions.js';
import type { PartitionRow } from './offsets.pg.js';
import { OffsetLost, type Submission } from '../append/submission.js';

/** Writers of each topic, by tenant. The ports of the database and the broker answer from these. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  mine: ['t1'],
  theirs: ['t2'],
  shared: ['t1', 't2'],
  nobodys: [],
};
const ME: Asker = { id: 'me', tenant: 't1', operator: false };
const OPERATOR: Asker = { id: 'op', tenant: 't1', operator: true };
const NOW = 1_900_000_000_000;
const row = (topic: string, over: Partial<PartitionRow> = {}): PartitionRow => ({
  cluster: 'c',
  topic,
  partition: 0,
  next: 10n,
  lastOffset: 9n,
  lastSha256: null,
  stopped: 'unreadable: x',
  ...over,
});

let rows: PartitionRow[];
let submitted: Submission[];
let failure: unknown;
let brokerFails: boolean;
let sut: Partitions;
beforeEach(() => {
  rows = Object.keys(WRITERS).map((topic) => row(topic));
  submitted = [];
  failure = undefined;
  brokerFails = false;
  const bounds = new Map([[0, { low: 3n, high: 20n }]]);
  const options = {
    offsets: {
      read: (_cluster: string, topic: string, partition: number) =>
        Promise.resolve(rows.find((one) => one.topic === topic && one.partition === partition)),
      list: () => Promise.resolve(rows),
    },
    bounds: {
      cluster: () => (brokerFails ? Promise.reject(new Error('away')) : Promise.resolve('c')),
      ofTopic: (topic: string) => Promise.resolve(topic === 'gone' ? undefined : bounds),
      ofTopics: (topics: Iterable<string>) => Promise.resolve(new Map([...topics].map((topic) => [topic, bounds]))),
    },
    follower: {
      state: {
        sourcesOfTopic: (topic: string) => (WRITERS[topic] ?? []).map((tenant) => ({ tenant })),
        tenant: (id: string) => ({ id }),
      },
    },
    appender: {
      submit(submission: Submission) {
        submitted.push(submission);
        return failure === undefined ? Promise.resolve([]) : Promise.reject(failure);
      },
    },
    log: createLog({ level: 'silent' }),
    now: () => NOW,
  };
  sut = createPartitions(options as unknown as PartitionsOptions);
});

const resume = (
  asker: Asker,
  topic: string,
  at: 'stored' | 'earliest' | 'latest' | bigint = 'latest',
): Promise<unknown> => sut.resume(asker, topic, 0, { at, reason: 'spec' });

describe('partitions', () => {
  it('a tenant sees those that only its sources write, the operator all', async () => {
    expect((await sut.list(ME)).map(({ topic }) => topic)).toEqual(['mine']);
    expect((await sut.list(OPERATOR)).map(({ topic }) => topic)).toEqual(['mine', 'theirs', 'shared', 'nobodys']);
  });

  it.each([
    [10n, '10'],
    [20n, '0'],
    [21n, null],
  ])('one that stands at %s lags by %s', async (next, lag) => {
    rows = [row('mine', { next })];
    expect(await sut.list(ME)).toEqual([
      { topic: 'mine', partition: 0, next_offset: String(next), stopped: 'unreadable: x', lag },
    ]);
  });

  it.each(['theirs', 'shared', 'nobodys', 'unknown'])('a tenant does not let %s go on', async (topic) => {
    await expect(resume(ME, topic)).rejects.toMatchObject({ code: 'not-found' });
    expect(submitted).toEqual([]);
  });

  it('goes on where it was decided, and the ledger says what is skipped', async () => {
    expect(await resume(ME, 'mine')).toEqual({
      topic: 'mine',
      partition: 0,
      next_offset: '20',
      stopped: null,
      lag: '0',
      skipped: { from_offset: '10', to_offset: '20' },
    });
    expect(submitted).toEqual([
      {
        events: [],
        own: [
          {
            tenant: { id: 't1' },
            name: 'log.gap',
            id: `gap-c-mine-0-10-${NOW}`,
            timeMs: NOW,
            data: { topic: 'mine', partition: 0, from_offset: '10', to_offset: '20', reason: 'spec' },
          },
        ],
        offset: {
          cluster: 'c',
          topic: 'mine',
          partition: 0,
          held: 10n,
          next: 20n,
          lastOffset: null,
          lastSha256: null,
          resumes: true,
        },
      },
    ]);
  });

  it('skips nothing where it stands, and the ledger says nothing', async () => {
    expect(await resume(ME, 'mine', 'stored')).toMatchObject({ next_offset: '10', skipped: null });
    expect(submitted.map(({ own }) => own)).toEqual([[]]);
  });

  it('of a topic that nobody writes any more no ledger can say what is skipped', async () => {
    expect(await resume(OPERATOR, 'nobodys')).toMatchObject({ next_offset: '20' });
    expect(submitted.map(({ own }) => own)).toEqual([[]]);
  });

  it('one that runs is not resumed', async () => {
    rows = [row('mine', { stopped: null })];
    await expect(resume(ME, 'mine')).rejects.toMatchObject({ code: 'edit-conflict' });
    expect(submitted).toEqual([]);
  });

  it('an offset that the log does not have is refused', async () => {
    await expect(resume(ME, 'mine', 21n)).rejects.toMatchObject({ code: 'inconsistent-request' });
    expect(submitted).toEqual([]);
  });

  it('a partition that the broker does not have is not found', async () => {
    rows = [row('gone')];
    await expect(resume(OPERATOR, 'gone')).rejects.toMatchObject({ code: 'not-found' });
    rows = [row('mine', { partition: 1 })];
    await expect(sut.resume(OPERATOR, 'mine', 1, { at: 'latest', reason: 'spec' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('what another operator has decided about this partition; look at it again meanwhile stands, and another failure is told as it is', async () => {
    failure = new OffsetLost({ topic: 'mine', partition: 0, held: 10n } as never);
    await expect(resume(ME, 'mine')).rejects.toMatchObject({ code: 'edit-conflict' });
    failure = new Error('other');
    await expect(resume(ME, 'mine')).rejects.toBe(failure);
  });

  it('without a broker neither is answered', async () => {
    brokerFails = true;
    await expect(sut.list(ME)).rejects.toMatchObject({ code: 'kafka-unavailable' });
    await expect(resume(ME, 'mine')).rejects.toMatchObject({ code: 'kafka-unavailable' });
  });
});
