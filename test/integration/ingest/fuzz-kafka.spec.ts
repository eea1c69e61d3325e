import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CompressionTypes, type IHeaders, type Message } from 'kafkajs';
import type { Source } from '../../../src/control/index.js';
import { parseAttributes } from '../../../src/merkle/index.js';
import { pieces, SEED, type Piece } from './fuzz-pieces.js';
import { createKafkaStage, until, type KafkaStage } from './kafka-fixture.js';

const PARTITIONS = 3;
const RECORDS = 1_500;
const RECORDS_PER_SEND = 50;

let stage: KafkaStage;
beforeAll(async () => {
  stage = await createKafkaStage();
});
afterAll(() => stage.stop());

interface Record {
  readonly partition: number;
  readonly message: Message;
  readonly goodId: string | undefined;
}

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const headerNames = fc.oneof(
  fc.constantFrom(
    'ce_id',
    'CE_ID',
    'ce_time',
    'ce_type',
    'ce_',
    'ce_data',
    'content-type',
    'Content-Type',
    '',
    '__proto__',
  ),
  fc.string({ maxLength: 12, unit: 'grapheme' }),
);
const headerValues = fc.oneof(
  anyBytes,
  fc.string(),
  fc.array(anyBytes, { maxLength: 3 }),
  fc.constantFrom('application/cloudevents+json', 'application/cloudevents-batch+json', 'text/xml'),
);
const strangeHeaders = fc.dictionary(headerNames, headerValues, { maxKeys: 6, noNullPrototype: true });
const keys = fc.oneof(fc.constant(null), anyBytes, fc.string());

const structured = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };

/** The attributes of an event as headers, where its bytes are an event. */
function inBinaryMode({ bytes, goodId }: Piece): Message {
  if (goodId === undefined) return { value: bytes, headers: { ce_id: 'x', ce_specversion: '1.0' } };
  const { data, ...attributes } = JSON.parse(bytes.toString()) as { data: unknown };
  const headers = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value as string]);
  return {
    value: Buffer.from(JSON.stringify(data)),
    headers: { ...Object.fromEntries(headers), 'content-type': 'application/json' },
  };
}

const recordsOf = (source: Source): fc.Arbitrary<Record> =>
  fc
    .record({
      piece: pieces(source.uri),
      mode: fc.constantFrom('binary', 'structured'),
      harm: fc.constantFrom(
        'tombstone',
        'empty',
        'headers',
        'no headers',
        'empty header',
        'nothing',
        'nothing',
        'nothing',
        'nothing',
      ),
      strange: strangeHeaders,
      key: keys,
      timestamp: fc.constantFrom(undefined, undefined, '0', '1700000000000'),
      partition: fc.integer({ min: 0, max: PARTITIONS - 1 }),
    })
    .map(({ piece, mode, harm, strange, key, timestamp, partition }) => {
      const written: Message =
        mode === 'structured' ? { value: piece.bytes, headers: structured } : inBinaryMode(piece);
      const goodId = harm === 'nothing' ? piece.goodId : undefined;
      return {
        partition,
        goodId,
        message: { key, ...(timestamp === undefined ? {} : { timestamp }), ...harmRecord(written, harm, strange) },
      };
    });

function harmRecord(written: Message, harm: string, strange: IHeaders): Message {
  switch (harm) {
    case 'tombstone':
      return { ...written, value: null };
    case 'empty':
      return { ...written, value: '' };
    case 'headers':
      return { ...written, headers: { ...written.headers, ...strange } };
    case 'no headers':
      return { value: written.value };
    case 'empty header':
      return { ...written, headers: { ...written.headers, ce_subject: '' } };
    default:
      return written;
  }
}

it(`whatever is written, each record is stored, a duplicate or in quarantine with its position (seed ${SEED})`, async () => {
  const source = await stage.register({ partitions: PARTITIONS });
  const records = fc.sample(recordsOf(source), { seed: SEED, numRuns: RECORDS });
  const process = await stage.startProcess();
  for (let from = 0; from < records.length; from += RECORDS_PER_SEND) {
    const some = records.slice(from, from + RECORDS_PER_SEND);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const messages = some.filter((record) => record.partition === partition).map(({ message }) => message);
      if (messages.length > 0)
        await stage.send(source, messages, {
          partition,
          ...(from % 4 === 0 ? { compression: CompressionTypes.GZIP } : {}),
        });
    }
  }
  const heads = async (): Promise<string[]> =>
    (await stage.admin.fetchTopicOffsets(source.topic))
      .toSorted((a, b) => a.partition - b.partition)
      .map(({ high }) => high);
  const stored = async (): Promise<{ next_offset: string; stopped: string | null }[]> =>
    stage.rows('SELECT next_offset, stopped FROM kafka_offset WHERE topic = $1 ORDER BY partition', [source.topic]);
  const expected = [0, 1, 2].map((partition) =>
    String(records.filter((record) => record.partition === partition).length),
  );
  expect(await heads()).toEqual(expected);
  await until(
    async () =>
      JSON.stringify((await stored()).map(({ next_offset }) => next_offset)) === JSON.stringify(expected) ||
      process.consumer.notReadyReason() !== undefined,
  );

  expect(process.consumer.notReadyReason()).toBeUndefined();
  expect(await stored()).toEqual(expected.map((next_offset) => ({ next_offset, stopped: null })));
  const [sequenced, duplicates, refused] = [
    await process.seen('sequenced'),
    await process.seen('duplicate'),
    await process.seen('rejected'),
  ];
  expect(sequenced + duplicates + refused).toBe(RECORDS);
  expect(await stage.stored(source)).toBe(sequenced);
  expect([sequenced > RECORDS / 10, duplicates > 10, refused > RECORDS / 10]).toEqual([true, true, true]);

  // Each record by its position: refused there, or its event is in the ledger.
  const quarantined = await stage.rows<{ partition: number; record_offset: string; code: string }>(
    'SELECT partition, record_offset, code FROM quarantine WHERE topic = $1',
    [source.topic],
  );
  const positions = new Map(
    quarantined.map(({ partition, record_offset, code }) => [`${partition}/${record_offset}`, code]),
  );
  expect([positions.size, quarantined.length]).toEqual([refused, refused]);
  const ids = new Set(await idsInLedger(source));
  const next = Array<number>(PARTITIONS).fill(0);
  for (const { partition, message, goodId } of records) {
    const position = `${partition}/${next[partition]}`;
    next[partition]! += 1;
    const code = positions.get(position);
    if (code === undefined) expect([position, message, ids.has(idOf(message))]).toEqual([position, message, true]);
    // Another event under a good one's id may have come first: then that is in the ledger.
    else if (goodId !== undefined)
      expect([position, message, code, ids.has(goodId)]).toEqual([position, message, 'conflict', true]);
  }
  expect([...new Set(positions.values())]).toEqual(
    expect.arrayContaining([
      'malformed-json',
      'invalid-data',
      'invalid-envelope',
      'repeated-header',
      'unsupported-media-type',
    ]),
  );
  await process.stop();
}, 60_000);

/** Reads event ids of the ledger: from the attributes of binary records, from the bytes of others. */
async function idsInLedger(source: Source): Promise<string[]> {
  const rows = await stage.rows<{ mode: string; bytes: Buffer; attributes: Buffer }>(
    'SELECT mode, bytes, attributes FROM payload JOIN entry USING (tenant, ix) WHERE source = $1',
    [source.id],
  );
  return rows.map(({ mode, bytes, attributes }) => {
    if (mode === 'structured') return String((JSON.parse(bytes.toString()) as { id: unknown }).id);
    return Buffer.from(parseAttributes(attributes)!.find(([name]) => name === 'ce_id')![1]).toString();
  });
}

/** The event id of a record that was accepted. */
function idOf({ headers = {}, value }: Message): string {
  const header = (wanted: string): string | undefined =>
    Object.entries(headers)
      // kafkajs writes a header for each value of an array: for an empty one, none.
      .find(([name, said]) => name.toLowerCase() === wanted && !(Array.isArray(said) && said.length === 0))?.[1]
      ?.toString();
  if (header('content-type')?.startsWith('application/cloudevents'))
    return (JSON.parse(String(value)) as { id: string }).id;
  return header('ce_id')!;
}
