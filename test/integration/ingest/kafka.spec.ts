import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes, type Message } from 'kafkajs';
import type { Source } from '../../../src/control/index.js';
import { toKafkaMessage } from '../../../src/emit/index.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { hold } from '../../support/hold.js';
import { uniqueName } from '../../support/services.js';
import { access } from '../../support/stage.js';
import {
  createKafkaStage,
  numbered,
  saying,
  tokens,
  until,
  type IngestProcess,
  type KafkaStage,
} from './kafka-fixture.js';

let stage: KafkaStage;
beforeAll(async () => {
  stage = await createKafkaStage();
});
afterAll(() => stage.stop());

/** Starts a process, does the work, and stops it whatever came of it. */
async function whileRunning<T>(work: (process: IngestProcess) => Promise<T>): Promise<T> {
  const process = await stage.startProcess();
  try {
    return await work(process);
  } finally {
    await process.stop();
  }
}

const offsetOf = async (
  source: Source,
  partition = 0,
): Promise<{ next_offset: string; stopped: string | null } | undefined> =>
  (
    await stage.rows<{ next_offset: string; stopped: string | null }>(
      'SELECT next_offset, stopped FROM kafka_offset WHERE topic = $1 AND partition = $2',
      [source.topic, partition],
    )
  )[0];

/** Expects indexes from 0 to the head without a hole, whatever came through which door. */
async function expectDense(): Promise<void> {
  const [ledger] = await stage.rows(
    `SELECT count(*) = max(ix) + 1 AND min(ix) = 0 AND max(ix) + 1 = (SELECT next_ix FROM ledger_head h WHERE h.tenant = e.tenant) AS dense
     FROM entry e WHERE tenant = $1 GROUP BY tenant`,
    [stage.tenant],
  );
  expect(ledger).toEqual({ dense: true });
}

const jtisOf = async (source: Source): Promise<string[]> =>
  (
    await stage.rows<{ jti: string }>(`SELECT facts->>'jti' AS jti FROM token WHERE source = $1 ORDER BY ix`, [
      source.id,
    ])
  ).map(({ jti }) => jti);

describe('records', () => {
  it('become entries with dense indexes in the order of their partition, in both modes, plain and gzipped', async () => {
    const source = await stage.register();
    await stage.send(source, tokens(source, 'b1', 'b2'), { mode: 'binary' });
    await stage.send(source, tokens(source, 's1', 's2'), { mode: 'structured' });
    await stage.send(source, tokens(source, 'z1'), { mode: 'binary', compression: CompressionTypes.GZIP });
    await stage.send(source, tokens(source, 'z2'), { mode: 'structured', compression: CompressionTypes.GZIP });
    await whileRunning(() => until(async () => (await stage.stored(source)) === 6));
    expect(await jtisOf(source)).toEqual(['b1', 'b2', 's1', 's2', 'z1', 'z2']);
    const modes = await stage.rows(
      'SELECT mode FROM payload JOIN entry USING (tenant, ix) WHERE source = $1 ORDER BY ix',
      [source.id],
    );
    expect(modes).toEqual(
      ['binary', 'binary', 'structured', 'structured', 'binary', 'structured'].map((mode) => ({ mode })),
    );
    await expectDense();
  });

  it('go to quarantine with position and reason if they are bad, and the partition goes on', async () => {
    const source = await stage.register();
    const other = await stage.register();
    const [good] = tokens(source, 'x').map((event) => toKafkaMessage(event, { mode: 'binary' }));
    const jws = [{ alg: 'ES256' }, { sub: 'alice' }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const bad: [code: string, message: Message][] = [
      ['malformed-json', { value: '{"specversion":', headers: { 'content-type': 'application/cloudevents+json' } }],
      ['malformed-json', { ...good!, value: Buffer.from(`{"token":"${jws}.c2ln`) }],
      ['invalid-data', { ...good!, value: null }],
      ['repeated-header', { ...good!, headers: { ...good!.headers, CE_ID: 'another' } }],
      ['repeated-header', { ...good!, headers: { ...good!.headers, ce_id: ['one', 'two'] } }],
      ['invalid-envelope', { value: 'no headers at all' }],
      ['wrong-topic', toKafkaMessage(tokens(other, 'foreign')[0]!, { mode: 'binary' })],
      [
        'unknown-source',
        toKafkaMessage({ ...tokens(source, 'nobody')[0]!, source: 'urn:nobody' }, { mode: 'structured' }),
      ],
      ['too-large', { ...good!, value: Buffer.from(JSON.stringify({ padding: 'x'.repeat(257 * 1024) })) }],
      ['unsupported-media-type', { value: '[]', headers: { 'content-type': 'application/cloudevents-batch+json' } }],
    ];
    for (const [at, [, message]] of bad.entries()) await stage.send(source, [...tokens(source, `good-${at}`), message]);
    await stage.send(source, tokens(source, 'last'));
    await whileRunning(() => until(async () => (await stage.stored(source)) === bad.length + 1));

    const quarantined = await stage.rows<{ code: string; position: string; source: string }>(
      'SELECT code, partition, record_offset::int AS position, source, tenant FROM quarantine WHERE topic = $1 ORDER BY record_offset',
      [source.topic],
    );
    // The writer on a source's topic is that source, whatever a record says of itself.
    const owner = { source: source.id, tenant: stage.tenant, partition: 0 };
    expect(quarantined).toEqual(bad.map(([code], at) => ({ code, position: at * 2 + 1, ...owner })));
    const kept = await stage.rows<{ bytes: Buffer; size: number }>(
      'SELECT bytes, size FROM quarantine WHERE topic = $1 ORDER BY record_offset',
      [source.topic],
    );
    expect(kept.map(({ bytes }) => bytes.toString()).join('\n')).not.toContain(jws);
    expect(kept.find(({ size }) => size > 256 * 1024)!.bytes).toHaveLength(64 * 1024);
    expect(await stage.stored(other)).toBe(0);
    await expectDense();
  });

  it('delay nobody even with tens of thousands of headers', async () => {
    const source = await stage.register();
    const many = (name: (n: number) => string): Message['headers'] =>
      Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [name(n), 'x']));
    const [one, two] = tokens(source, 'many', 'repeated').map((event) => toKafkaMessage(event, { mode: 'binary' }));
    await stage.send(source, [
      { ...one!, headers: { ...one!.headers, ...many((n) => `h${n}`) } },
      { ...two!, headers: { ...two!.headers, h: Array.from({ length: 20_000 }, () => 'x') } },
      ...tokens(source, 'after'),
    ]);
    await whileRunning(() => until(async () => (await stage.stored(source)) === 3));
    expect(await jtisOf(source)).toEqual(['many', 'repeated', 'after']);
  });

  it('of a shared topic are accepted from both sources if they are usage, and from neither if they are token events', async () => {
    const topic = `rescind.events.${uniqueName('shared')}`;
    const one = await stage.register({ topic });
    const two = await stage.register({ topic, partitions: 0 });
    const used = access({ token: { sha256: 'A'.repeat(43) } });
    await stage.send(topic, [
      saying(one, 'access.allowed', used),
      ...tokens(two, 'unsigned'),
      saying(two, 'access.allowed', used),
    ]);
    await whileRunning(() => until(async () => (await stage.stored(two)) === 1));
    expect(await stage.rows('SELECT code, source FROM quarantine WHERE topic = $1', [topic])).toEqual([
      { code: 'unsigned-on-shared-topic', source: two.id },
    ]);
    expect(await stage.stored(one)).toBe(1);
  });
});

describe('offsets', () => {
  it('are where reading resumes after a restart, and nothing is stored again', async () => {
    const source = await stage.register();
    await stage.send(source, tokens(source, ...numbered('a', 50)));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 50));
    await stage.send(source, tokens(source, ...numbered('b', 50)));
    await whileRunning(async (process) => {
      await until(async () => (await stage.stored(source)) === 100);
      expect(await process.seen('duplicate')).toBe(0);
    });
    expect(await offsetOf(source)).toMatchObject({ next_offset: '100', stopped: null });
    await expectDense();
  });

  it('are compared and swapped: a process that lost the partition writes nothing', async () => {
    const source = await stage.register();
    await stage.send(source, tokens(source, ...numbered('c', 3)));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 3));
    const [{ cluster }] = (await stage.rows<{ cluster: string }>('SELECT cluster FROM kafka_offset WHERE topic = $1', [
      source.topic,
    ])) as [{ cluster: string }];
    const move = { cluster, topic: source.topic, partition: 0, lastOffset: 4n, lastSha256: Buffer.alloc(32) };
    const tenant = stage.follower.state.tenant(stage.tenant)!;
    const data = { topic: source.topic, partition: 0, from_offset: '1', to_offset: '5', reason: 'spec' };
    const own = [{ tenant, name: 'log.gap' as const, id: 'stale', timeMs: Date.now(), data }];
    const stale = stage.appender.submit({ events: [], own, offset: { ...move, held: 1n, next: 5n } });
    const fine = stage.emit(...tokens(source, 'beside'));
    await expect(stale).rejects.toMatchObject({ name: 'OffsetLost' });
    expect(await fine).toHaveLength(1);
    expect(await offsetOf(source)).toMatchObject({ next_offset: '3' });
    expect(await stage.rows(`SELECT 1 FROM entry WHERE type LIKE '%log.gap%'`)).toEqual([]);
  });

  it('pass from process to process while one joins and one leaves, and each record is stored once', async () => {
    const source = await stage.register({ partitions: 4 });
    let sent = 0;
    const sendMore = async (): Promise<void> => {
      await Promise.all(
        [0, 1, 2, 3].map((partition) =>
          stage.send(source, tokens(source, ...numbered(`p${partition}`, 25, sent)), { partition }),
        ),
      );
      sent += 25;
    };
    const sendUntil = async (holds: () => Promise<boolean>): Promise<void> => {
      while (!(await holds())) await sendMore();
    };
    await whileRunning(async (joining) => {
      const leaving = await stage.startProcess();
      await sendUntil(async () => (await joining.seen('sequenced')) > 0 && (await leaving.seen('sequenced')) > 0);
      await leaving.stop();
      const before = await joining.seen('sequenced');
      await sendUntil(async () => (await joining.seen('sequenced')) > before);
      await until(async () => (await stage.stored(source)) === sent * 4);
    });
    const [counted] = await stage.rows(
      `SELECT count(*)::int AS tokens, count(DISTINCT key)::int AS distinct FROM token WHERE source = $1`,
      [source.id],
    );
    expect(counted).toEqual({ tokens: sent * 4, distinct: sent * 4 });
    for (const partition of [0, 1, 2, 3])
      expect(await offsetOf(source, partition)).toMatchObject({ next_offset: String(sent) });
    await expectDense();
  });
});

describe('a process that is stopped', () => {
  it('finishes its batch before it leaves, and the next process begins behind it', async () => {
    const source = await stage.register();
    const process = await stage.startProcess();
    await stage.send(source, tokens(source, 'first'));
    await until(async () => (await stage.stored(source)) === 1);
    const letGo = await hold(stage.database.pool, 'SELECT FROM ledger_head FOR UPDATE');
    await stage.send(source, tokens(source, ...numbered('hand', 30)));
    await until(
      async () =>
        (
          await stage.rows(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          )
        ).length > 0,
    );
    let hasStopped = false;
    const stopping = process.consumer.stop().finally(() => {
      hasStopped = true;
    });
    await stage.send(source, tokens(source, 'late'));
    expect(hasStopped).toBe(false);
    await letGo();
    await stopping;
    const taken = await stage.stored(source);
    expect(taken).toBeGreaterThan(1);
    expect(await offsetOf(source)).toMatchObject({ next_offset: String(taken) });
    await process.stop();
    await whileRunning(async (next) => {
      await until(async () => (await stage.stored(source)) === 32);
      expect(await next.seen('duplicate')).toBe(0);
      expect(await next.seen('sequenced')).toBe(32 - taken);
    });
  });
});

describe('the lag', () => {
  it('is reported for each source and partition, including one that is stopped or receives no record', async () => {
    const source = await stage.register({ partitions: 2 });
    await stage.send(source, tokens(source, ...numbered('old', 3)), { partition: 0 });
    await stage.send(source, tokens(source, 'other'), { partition: 1 });
    await whileRunning(() => until(async () => (await stage.stored(source)) === 4));
    await stage.rows(`UPDATE kafka_offset SET stopped = 'unreadable: spec' WHERE topic = $1 AND partition = 0`, [
      source.topic,
    ]);
    await whileRunning(async (process) => {
      await until(() => process.consumer.notReadyReason()?.includes(source.topic) === true);
      const lagOf = async (partition: number): Promise<number | undefined> =>
        process.measured(
          `rescind_ingest_kafka_lag{source="${source.name}",topic="${source.topic}",partition="${partition}"}`,
        );
      await until(async () => (await lagOf(0)) === 0 && (await lagOf(1)) === 0);
      await stage.send(source, tokens(source, 'new-1', 'new-2'), { partition: 0 });
      await until(async () => (await lagOf(0)) === 2);
      expect(await lagOf(1)).toBe(0);
      expect(await process.measured('rescind_ingest_waiting_events')).toBe(0);
    });
    await stage.rows('UPDATE kafka_offset SET stopped = NULL WHERE topic = $1', [source.topic]);
    await whileRunning(() => until(async () => (await stage.stored(source)) === 6));
  });
});

describe('topics', () => {
  it('are created and subscribed to when a source is registered while the consumer runs', async () => {
    const before = await stage.register();
    await whileRunning(async (process) => {
      await stage.send(before, tokens(before, 'before'));
      await until(async () => (await stage.stored(before)) === 1);
      const late = await stage.register({ partitions: 0 });
      await until(async () => (await stage.admin.listTopics()).includes(late.topic));
      await stage.send(late, tokens(late, 'late'));
      await stage.send(before, tokens(before, 'after'));
      await until(async () => (await stage.stored(late)) === 1 && (await stage.stored(before)) === 2);
      expect(process.consumer.notReadyReason()).toBeUndefined();
    });
  });

  const remake = async (source: Source, jtis: string[]): Promise<void> => {
    await stage.admin.deleteTopics({ topics: [source.topic] });
    await until(async () => !(await stage.admin.listTopics()).includes(source.topic));
    await ensureTopics(stage.admin, [{ topic: source.topic, partitions: 1 }]);
    await stage.send(source, tokens(source, ...jtis));
  };

  it.each([
    ['shorter than before', 2, 'beyond-the-end: stored offset 5 lies beyond the end 2 of the log'],
    [
      'as long as before',
      5,
      'made-anew: another record stands at offset 4 than the one that was read: the topic was made anew',
    ],
    [
      'longer than before',
      9,
      'made-anew: another record stands at offset 4 than the one that was read: the topic was made anew',
    ],
  ])('stop their partition and no other if they were deleted and created again, %s', async (_how, length, reason) => {
    const source = await stage.register();
    const neighbour = await stage.register();
    await stage.send(source, tokens(source, ...numbered('old', 5)));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 5));
    await remake(source, numbered('new', length));
    await stage.send(neighbour, tokens(neighbour, 'neighbour'));
    await whileRunning(async (process) => {
      await until(async () => (await offsetOf(source))?.stopped === reason && (await stage.stored(neighbour)) === 1);
      expect(process.consumer.notReadyReason()).toContain(`${source.topic}/0`);
    });
    expect(await stage.stored(source)).toBe(5);
    // Stopped until an operator decides: a restart does not forget.
    await whileRunning(async (process) =>
      until(() => process.consumer.notReadyReason()?.includes(source.topic) === true),
    );
    await stage.rows(
      'UPDATE kafka_offset SET stopped = NULL, next_offset = 0, last_offset = NULL, last_sha256 = NULL WHERE topic = $1',
      [source.topic],
    );
    await whileRunning(() => until(async () => (await stage.stored(source)) === 5 + length));
  });

  // A longer topic would be noticed at the next assignment, or if a fetch fell between the two (src/ingest/operating.md, "Limits").
  it('stop their partition if they are deleted and created again, shorter, under a running consumer', async () => {
    const source = await stage.register();
    await stage.send(source, tokens(source, ...numbered('old', 5)));
    await whileRunning(async () => {
      await until(async () => (await stage.stored(source)) === 5);
      await remake(source, numbered('new', 3));
      await until(async () => (await offsetOf(source))?.stopped !== null);
    });
    expect(await stage.stored(source)).toBe(5);
  });

  it('leave one gap in the ledger if their records were gone before they could be read', async () => {
    const source = await stage.register();
    await stage.send(source, tokens(source, ...numbered('kept', 3)));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 3));
    await stage.send(source, tokens(source, ...numbered('lost', 4)));
    // kafkajs 2.2.4 looks for the leader before it has asked for it.
    await stage.admin.fetchTopicOffsets(source.topic);
    await stage.admin.deleteTopicRecords({ topic: source.topic, partitions: [{ partition: 0, offset: '7' }] });
    await stage.send(source, tokens(source, ...numbered('after', 3)));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 6));
    await stage.send(source, tokens(source, 'again'));
    await whileRunning(() => until(async () => (await stage.stored(source)) === 7));
    const gaps = await stage.rows<{ bytes: Buffer }>(
      `SELECT bytes FROM payload JOIN entry USING (tenant, ix) WHERE type = 'dev.rescind.log.gap.v1' AND tenant = $1`,
      [stage.tenant],
    );
    expect(gaps.map(({ bytes }) => (JSON.parse(bytes.toString()) as { data: unknown }).data)).toEqual([
      {
        topic: source.topic,
        partition: 0,
        from_offset: '3',
        to_offset: '7',
        reason: 'the records were gone before they could be read',
      },
    ]);
    expect(await jtisOf(source)).toEqual(['kept-0', 'kept-1', 'kept-2', 'after-0', 'after-1', 'after-2', 'again']);
    await expectDense();
  });
});
