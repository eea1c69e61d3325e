import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FetchedBatch, KafkaRecord } from '../../platform/kafka/index.js';
import { createLog } from '../../platform/log/index.js';
import { OffsetLost, type Judged, type OffsetMove, type Submission } from '../append/submission.js';
import { AssignedPartition, type PartitionParts } from './assigned-partition.js';
import type { StoredOffset } from './partition.js';

const TOPIC = 'rescind.events.spec';
const END = 1_000n;

/** The moves in the order in which they were handed over, and those that are durable. The database and the broker answer from these. */
let moves: OffsetMove[];
let stored: StoredOffset | undefined;
let sought: bigint[];
/** Events that were sealed, and those that were handed over. */
let sealed: Judged[];
let handedOver: Judged[];
let answer: (move: OffsetMove) => Promise<void>;
let parts: PartitionParts;
let sut: AssignedPartition;

beforeEach(() => {
  moves = [];
  stored = undefined;
  sought = [];
  [sealed, handedOver] = [[], []];
  answer = () => Promise.resolve();
  parts = {
    cluster: 'c',
    member: {
      seek: (_topic: string, _partition: number, offset: bigint) => void sought.push(offset),
      pause: () => undefined,
      resume: () => undefined,
    },
    state: { sourcesOfTopic: () => [] },
    appender: {
      roomForKafka: () => Promise.resolve(),
      prepare: (judged: Judged) => void sealed.push(judged),
      async submit({ events, offset }: Submission) {
        handedOver.push(...events);
        moves.push(offset!);
        await answer(offset!);
        if (offset!.held !== (stored?.next ?? 0n)) throw new OffsetLost(offset!);
        stored = { next: offset!.next, lastOffset: null, lastSha256: null, stopped: null };
        return [];
      },
    },
    ruleQuota: { tryAdmit: () => true },
    offsets: { read: () => Promise.resolve(stored) },
    bounds: { ofTopic: () => Promise.resolve(new Map([[0, { low: 0n, high: END }]])) },
    lag: { standsAt: () => undefined, endsAt: () => undefined },
    log: createLog({ level: 'silent' }),
    now: Date.now,
  } as unknown as PartitionParts;
  sut = new AssignedPartition(parts, TOPIC, 0, undefined);
});

/** The records from one offset to before another. Nobody may write the topic, so all are refused, 50 in a part. */
function batch(from: bigint, to: bigint): FetchedBatch {
  const records = Array.from(
    { length: Number(to - from) },
    (_, nth): KafkaRecord => ({
      offset: from + BigInt(nth),
      timestamp: '0',
      key: null,
      value: Buffer.from('{}'),
      headers: {},
    }),
  );
  return {
    topic: TOPIC,
    partition: 0,
    asked: from,
    records,
    unreadable: undefined,
    last: to - 1n,
    high: END,
    isStale: () => false,
  };
}

/** A promise with its handle. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const steps = (): string[] => moves.map(({ held, next }) => `${held}-${next}`);

describe('records', () => {
  it('are handed over once and in order, each part from where the one before leaves the offset', async () => {
    expect(await sut.take(batch(0n, 120n))).toBe(119n);
    expect(await sut.take(batch(120n, 130n))).toBe(129n);
    await sut.settled;
    expect(steps()).toEqual(['0-50', '50-100', '100-120', '120-130']);
    expect(stored?.next).toBe(130n);
    expect(handedOver).toHaveLength(130);
    expect(handedOver.every((judged, nth) => judged === sealed[nth])).toBe(true);
  });

  it('of a fetch that asked for another offset are not taken, and the stored offset is sought again', async () => {
    expect(await sut.take(batch(7n, 9n))).toBeUndefined();
    expect(moves).toEqual([]);
    expect(sought).toEqual([0n, 0n]);
  });

  it('that could not be stored are read again from the stored offset, once', async () => {
    answer = ({ held }) => (held === 50n ? Promise.reject(new OffsetLost({} as OffsetMove)) : Promise.resolve());
    await sut.take(batch(0n, 120n));
    await sut.settled;
    answer = () => Promise.resolve();
    expect(await sut.take(batch(50n, 60n))).toBe(59n);
    await sut.settled;
    expect(sought).toEqual([0n, 50n]);
    expect(stored?.next).toBe(60n);
  });

  it('of a batch that comes while another is taken wait for it, so that no offset goes back', async () => {
    const waits = gate();
    answer = () => waits.opened;
    const first = sut.take(batch(0n, 400n));
    const second = sut.take(batch(0n, 400n));
    waits.open();
    expect([await first, await second]).toEqual([399n, undefined]);
    await sut.settled;
    expect(steps()).toEqual(Array.from({ length: 8 }, (_, nth) => `${nth * 50}-${nth * 50 + 50}`));
  });
});

describe('a released partition', () => {
  it('hands nothing more over', async () => {
    sut.release();
    expect(await sut.take(batch(0n, 10n))).toBeUndefined();
    expect(moves).toEqual([]);
  });

  it('that is assigned again is read behind what was handed over before', async () => {
    const waits = gate();
    answer = () => waits.opened;
    await sut.take(batch(0n, 10n));
    sut.release();
    const again = new AssignedPartition(parts, TOPIC, 0, sut);
    waits.open();
    expect(await again.take(batch(10n, 20n))).toBe(19n);
    await again.settled;
    expect(sought).toEqual([0n, 10n]);
    expect(steps()).toEqual(['0-10', '10-20']);
  });
});
