import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import type { RunningRescind } from '../../../src/main.js';
import { parseAttributes } from '../../../src/merkle/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { hold } from '../../support/hold.js';
import { metricsWith } from '../../support/metrics.js';
import type { TestDatabase } from '../../support/services.js';
import { access, API, RAS } from '../../support/stage.js';

const SINGLE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';

let database: TestDatabase;
let service: RunningRescind;
let emitter: string;
let auditor: string;

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  ({ rescind: service, database } = await startOwnRescind(cleanups));
  const admin = createRescindAdmin(service.url, service.adminKey!);
  const source = (name: string) => ({
    name,
    uri: `${RAS}/${name}`,
    types: ['token.issued', 'access.allowed'],
    issuers: [RAS],
    resources: [API],
  });
  for (const name of ['chat', 'foreign']) await admin.post('/v1/sources', source(name));
  emitter = (
    await admin.post<{ secret: string }>('/v1/callers', { id: 'emitter', roles: { emit: { sources: ['chat'] } } })
  ).secret;
  auditor = (await admin.post<{ secret: string }>('/v1/callers', { id: 'auditor', roles: { audit: {} } })).secret;
});

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Headers;
  readonly body: unknown;
}

async function post(
  contentType: string | undefined,
  body: unknown,
  authorization: string | undefined = `Bearer ${emitter}`,
): Promise<Answer> {
  const response = await fetch(new URL('/events', service.url), {
    method: 'POST',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
  const { status, headers } = response;
  return { status, headers, contentType: headers.get('content-type') ?? '', body: await response.json() };
}

const rows = async <T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  (await database.pool.query<T>(sql, parameters)).rows;

let count = 0;
const used = (over: Partial<CloudEvent> = {}): CloudEvent => {
  count += 1;
  const data = access({ token: { iss: RAS, jti: `at-${count}` } });
  return {
    ...(buildEvent('access.allowed', { source: `${RAS}/chat`, id: `e-${count}`, data }) as CloudEvent),
    ...over,
  };
};
/** A token that its source would have to show an ID-JAG of, and that lives two days. */
const hopeless = (): CloudEvent => {
  const iat = Math.floor(Date.now() / 1000);
  return buildEvent('token.issued', {
    source: `${RAS}/chat`,
    data: { kind: 'access', iss: RAS, jti: 'hopeless', client_id: 'wiki', aud: [API], iat, exp: iat + 172_800 },
  });
};

const sequenced = { index: expect.stringMatching(/^(0|[1-9][0-9]*)$/), state: 'sequenced' };
const indexesOf = (answer: Answer): bigint[] => (answer.body as { index: string }[]).map(({ index }) => BigInt(index));

describe('one event', () => {
  it.each([SINGLE, `${SINGLE}; charset=utf-8`, JSON_TYPE, 'Application/JSON'])(
    'sent as %s gets its index, and at a repetition is a duplicate',
    async (type) => {
      const event = used();
      const first = await post(type, event);
      expect(first).toMatchObject({ status: 200, body: sequenced });
      expect(first.contentType).toMatch(/^application\/json/);
      expect(await post(type, event)).toMatchObject({
        status: 200,
        body: { duplicate: true, index: (first.body as { index: string }).index },
      });
    },
  );

  const quarantined = async (code: string): Promise<number> =>
    (await rows(`SELECT 1 FROM quarantine WHERE code = $1 AND door = 'http' AND caller = 'emitter'`, [code])).length;
  const big = (bytes: number): CloudEvent => used({ data: { ...access(), path: 'x'.repeat(bytes) } as never });
  it.each<[what: string, status: number, code: string, () => unknown]>([
    ['malformed JSON', 400, 'malformed-json', () => '{"specversion":'],
    ['nothing', 400, 'malformed-json', () => ''],
    ['a missing claim', 400, 'invalid-data', () => used({ data: {} as never })],
    [
      'a time in the future',
      400,
      'time-in-future',
      () => used({ time: new Date(Date.now() + 3_600_000).toISOString() }),
    ],
    ['a source that is not registered', 403, 'unknown-source', () => used({ source: 'urn:nobody' })],
    ["a source that is another's", 403, 'source-not-allowed', () => used({ source: `${RAS}/foreign` })],
    ['more than 256 KiB', 413, 'too-large', () => big(256 * 1024)],
  ])('with %s is refused: %i %s', async (_what, status, code, event) => {
    const before = await quarantined(code);
    for (const type of [SINGLE, JSON_TYPE]) {
      const answer = await post(type, event());
      expect(answer).toMatchObject({ status, body: { error: code, detail: expect.any(String) } });
    }
    expect(await quarantined(code)).toBe(before + 2);
    const counted = new RegExp(`^rescind_ingest_rejected_total\\{code="${code}",door="http"\\} ${before + 2}$`, 'm');
    expect(await metricsWith(service.url, counted)).toMatch(counted);
  });

  it('is a conflict if it has the id of another, and the first stays', async () => {
    const event = used();
    const first = (await post(SINGLE, event)).body as { index: string };
    const other = await post(SINGLE, { ...event, data: access({ status: 500 }) });
    expect(other).toMatchObject({ status: 409, body: { error: 'conflict' } });
    expect(await post(SINGLE, event)).toMatchObject({ status: 200, body: { duplicate: true, index: first.index } });
  });
});

describe('several events', () => {
  const mixed = (): [events: CloudEvent[], expected: unknown[]] => {
    const [first, second, third] = [used(), used(), used()];
    const events = [
      first,
      used({ source: 'urn:nobody' }),
      second,
      first,
      { ...second, subject: 'other' },
      used({ type: 'x' }),
      third,
    ];
    const refused = (error: string) => ({ error, detail: expect.any(String) });
    const expected = [
      sequenced,
      refused('unknown-source'),
      sequenced,
      { duplicate: true, index: sequenced.index },
      refused('conflict'),
      refused('unknown-type'),
      sequenced,
    ];
    return [events, expected];
  };

  it.each([BATCH, JSON_TYPE])(
    'sent as %s are answered one by one in their order, with 200 whatever the result of each',
    async (type) => {
      const [events, expected] = mixed();
      expect(await post(type, events)).toMatchObject({ status: 200, body: expected });
    },
  );

  it('sent as NDJSON are answered one by one; empty lines are ignored, and a bad line stops no other', async () => {
    const [events, expected] = mixed();
    const lines = events.map((event) => JSON.stringify(event));
    lines.splice(1, 0, '', '{"specversion":', '   ');
    const answer = await post(NDJSON, lines.join('\r\n'));
    expect(answer).toMatchObject({
      status: 200,
      body: [expected[0], { error: 'malformed-json' }, ...expected.slice(1)],
    });
  });

  it('get dense indexes in their order, even beside other requests', async () => {
    const requests = await Promise.all(
      Array.from({ length: 8 }, () =>
        post(
          BATCH,
          Array.from({ length: 50 }, () => used()),
        ),
      ),
    );
    const all = requests.map(indexesOf);
    for (const indexes of all) expect(indexes).toEqual([...indexes].sort((a, b) => (a < b ? -1 : 1)));
    const sorted = all.flat().sort((a, b) => (a < b ? -1 : 1));
    expect(sorted).toEqual(Array.from({ length: 400 }, (_, n) => sorted[0]! + BigInt(n)));
  });

  it('may be no events at all', async () => {
    for (const [type, body] of [
      [BATCH, '[]'],
      [JSON_TYPE, ' [ ] '],
      [NDJSON, '\n\n'],
    ] as const) {
      expect(await post(type, body)).toMatchObject({ status: 200, body: [] });
    }
  });

  it('commit to the raw bytes of each event, and to no header but the content type', async () => {
    const events = [used(), used()].map((event) =>
      JSON.stringify(event, null, 2).replace('"operation"', String.raw`"\u006fperation"`),
    );
    const answer = await post(BATCH, ` [\n${events.join(' ,\t')} ]\n`);
    const stored = await rows<{ bytes: Buffer; attributes: Buffer; mode: string }>(
      'SELECT bytes, attributes, mode FROM payload WHERE ix = ANY ($1::bigint[]) ORDER BY ix',
      [indexesOf(answer).map(String)],
    );
    expect(stored.map(({ bytes }) => bytes.toString())).toEqual(events);
    for (const { attributes, mode } of stored) {
      expect(mode).toBe('batch');
      expect(parseAttributes(attributes)!.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
        ['content-type', BATCH],
      ]);
    }
  });
});

describe('a request', () => {
  it.each<[what: string, status: number, code: string, () => Promise<Answer>]>([
    ['without credentials', 401, 'unauthenticated', () => post(SINGLE, used(), '')],
    ['with a wrong secret', 401, 'unauthenticated', () => post(SINGLE, used(), 'Bearer rsk_wrong')],
    ['of a caller without the role', 403, 'forbidden', () => post(SINGLE, used(), `Bearer ${auditor}`)],
    ['of another content type', 415, 'unsupported-media-type', () => post('text/plain', used())],
    ['without a content type', 415, 'unsupported-media-type', () => post('', Buffer.from('{}'))],
    ['of 1,001 events', 413, 'too-large', () => post(BATCH, `[${'{},'.repeat(1_000)}{}]`)],
    ['of 1,001 lines', 413, 'too-large', () => post(NDJSON, '{}\n'.repeat(1_001))],
    ['of more than 4 MiB', 413, 'too-large', () => post(NDJSON, Buffer.alloc(4 * 1024 * 1024 + 1, 'x'))],
    ['of far more than 4 MiB', 413, 'too-large', () => post(NDJSON, Buffer.alloc(5 * 1024 * 1024, 'x'))],
  ])('%s is refused as a whole: %i %s', async (_what, status, code, send) => {
    const before = await rows('SELECT count(*) FROM entry');
    const answer = await send();
    expect(answer).toMatchObject({ status, body: { code, type: `https://rescind.dev/problems/${code}` } });
    expect(answer.contentType).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('www-authenticate') !== null).toBe(status === 401);
    expect(await rows('SELECT count(*) FROM entry')).toEqual(before);
  });

  it('is one refused event if its batch is no array', async () => {
    expect(await post(BATCH, used())).toMatchObject({ status: 400, body: { error: 'malformed-json' } });
    expect(await post(BATCH, '[{},')).toMatchObject({ status: 400, body: { error: 'malformed-json' } });
    expect(await post(BATCH, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]))).toMatchObject({
      status: 400,
      body: { error: 'invalid-utf8' },
    });
  });
});

/** Holds the heads' locks, so that nothing can be written, until the work says so. */
async function whileNothingIsWritten<T>(work: (release: () => Promise<void>) => Promise<T>): Promise<T> {
  const release = await hold(database.pool, 'SELECT FROM ledger_head FOR UPDATE');
  try {
    return await work(release);
  } finally {
    await release();
  }
}

const aBatchWaits = async (): Promise<boolean> =>
  (await rows(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'rescind-ingest' AND wait_event_type = 'Lock'`))
    .length > 0;

describe('an answer', () => {
  it('says why the token of a stored event can never be active, also for a duplicate, and says nothing about other events', async () => {
    const event = hopeless();
    const warnings = [
      expect.objectContaining({ code: 'lifetime-too-long', detail: expect.stringContaining('172800') }),
      expect.objectContaining({ code: 'lineage-missing' }),
    ];
    const first = await post(SINGLE, event);
    expect(first).toMatchObject({ status: 200, body: { ...sequenced, warnings } });
    const use = buildEvent('access.allowed', { source: `${RAS}/chat`, data: access() });
    expect((await post(BATCH, [event, use])).body).toEqual([
      { duplicate: true, index: (first.body as { index: string }).index, warnings },
      sequenced,
    ]);
  });

  it('comes only when the event is durable', () =>
    whileNothingIsWritten(async (release) => {
      const event = used();
      let answered = false;
      const answer = post(SINGLE, event).finally(() => {
        answered = true;
      });
      while (!(await aBatchWaits())) await delay(10);
      expect(answered).toBe(false);
      await release();
      const { index } = (await answer).body as { index: string };
      // Read on another session: what is visible there is committed.
      expect(await rows('SELECT bytes FROM payload WHERE ix = $1', [index])).toEqual([
        { bytes: Buffer.from(JSON.stringify(event)) },
      ]);
    }));

  it('is 429 with Retry-After when too much waits already, and accepted events are stored', () =>
    whileNothingIsWritten(async (release) => {
      const requests = Array.from({ length: 24 }, () =>
        post(
          BATCH,
          Array.from({ length: 1_000 }, () => used()),
        ),
      );
      const overloaded = await Promise.race(
        requests.map(async (request) =>
          (await request).status === 429 ? request : new Promise<never>(() => undefined),
        ),
      );
      expect(overloaded).toMatchObject({ status: 429, body: { code: 'overloaded' } });
      expect(overloaded.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
      await release();
      const answers = await Promise.all(requests);
      const taken = answers.filter(({ status }) => status === 200);
      expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
      // Half of the room, which is what one caller may take of it.
      expect(taken.length).toBeGreaterThanOrEqual(10);
      expect(new Set(taken.flatMap(indexesOf)).size).toBe(taken.length * 1_000);
    }));
});
