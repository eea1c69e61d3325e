import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { REJECT_CODES } from '../../../src/contracts/index.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { API, RAS } from '../../support/stage.js';
import { pieces, SEED, type Piece } from './fuzz-pieces.js';

const SOURCE = `${RAS}/chat`;

let database: TestDatabase;
let home: string;
let service: RunningRescind;
let secret: string;

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  service = await startRescind(
    readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: 'none' }),
    { log: testLog() },
  );
  cleanups.push(() => service.stop());
  const admin = createRescindAdmin(service.url, service.adminKey!);
  await admin.post('/v1/sources', {
    name: 'chat',
    uri: SOURCE,
    types: ['access.allowed'],
    issuers: [RAS],
    resources: [API],
  });
  secret = (
    await admin.post<{ secret: string }>('/v1/callers', { id: 'emitter', roles: { emit: { sources: ['chat'] } } })
  ).secret;
});

interface Request {
  readonly contentType: string;
  readonly encoding: string | undefined;
  readonly body: Buffer;
  /** Ids of events that nothing is wrong with, in a body that nothing is wrong with. */
  readonly goodIds: readonly string[];
}

const mediaTypes = fc.constantFrom(
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/x-ndjson',
  'application/json',
);
const parameters = fc.constantFrom(
  '',
  '',
  '',
  '; charset=utf-8',
  ';charset=UTF-16LE',
  '; charset=iso-8859-1',
  ' ;;',
  '; a="b',
  '; charset=utf-8; charset=utf-7',
);
const lineEnds = fc.constantFrom('\n', '\r\n', '\n\n', '\n \t\r\n', '\r', '\u2028');
const harms = fc.constantFrom(
  'truncate',
  'mark',
  'gzip',
  'halves',
  'text',
  'nothing',
  'nothing',
  'nothing',
  'nothing',
  'nothing',
  'nothing',
);

const requests: fc.Arbitrary<Request> = fc
  .record({
    mediaType: mediaTypes,
    parameter: parameters,
    parts: fc.array(pieces(SOURCE), { minLength: 1, maxLength: 12 }),
    lineEnd: lineEnds,
    harm: harms,
    at: fc.nat(),
    comma: fc.constantFrom(',', ' ,\n', ',,'),
  })
  .map(({ mediaType, parameter, parts, lineEnd, harm, at, comma }) => {
    const body = bodyOf(mediaType, parts, mediaType.endsWith('ndjson') ? lineEnd : comma);
    const whole = harm === 'nothing' && isWhole(mediaType, body, lineEnd);
    const some = mediaType === 'application/cloudevents+json' ? parts.slice(0, 1) : parts;
    return {
      contentType: harm === 'text' ? 'text/plain' : mediaType + parameter,
      encoding: harm === 'gzip' ? 'gzip' : undefined,
      body: harmBody(body, harm, at),
      goodIds: whole ? some.flatMap(({ goodId }) => goodId ?? []) : [],
    };
  });

function bodyOf(mediaType: string, parts: readonly Piece[], separator: string): Buffer {
  if (mediaType === 'application/cloudevents+json') return parts[0]!.bytes;
  // A line is a line: an indented event would be several.
  const bytes = parts.map((part) =>
    mediaType.endsWith('ndjson')
      ? Buffer.from(part.bytes.filter((byte) => byte !== 0x0a || part.goodId === undefined))
      : part.bytes,
  );
  const joined = Buffer.concat(bytes.flatMap((one, nth) => (nth === 0 ? [one] : [Buffer.from(separator), one])));
  return mediaType.endsWith('ndjson') ? joined : Buffer.concat([Buffer.from('['), joined, Buffer.from(']')]);
}

/** Whether each good event stands on its own in a body: an array is read as a whole, and lines end in a line feed. */
function isWhole(mediaType: string, body: Buffer, lineEnd: string): boolean {
  if (mediaType.endsWith('ndjson')) return lineEnd.includes('\n');
  return mediaType === 'application/cloudevents+json' || parse(body) !== undefined;
}

function parse(body: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)) };
  } catch {
    return undefined;
  }
}

function harmBody(body: Buffer, harm: string, at: number): Buffer {
  switch (harm) {
    case 'truncate':
      return body.subarray(0, at % (body.length + 1));
    case 'mark':
      return Buffer.concat([Buffer.from('\ufeff'), body]);
    case 'gzip':
      return gzipSync(body);
    case 'halves':
      return Buffer.from(body.toString('latin1'), 'utf16le');
    default:
      return body;
  }
}

/** How many answers a body must get. */
function expectedAnswers({ contentType, body }: Request): number {
  if (contentType.startsWith('application/x-ndjson'))
    return body
      .toString('latin1')
      .split('\n')
      .filter((line) => /[^ \t\r]/.test(line)).length;
  const value = contentType.startsWith('application/cloudevents+json') ? undefined : parse(body)?.value;
  return Array.isArray(value) ? value.length : 1;
}

async function post({ contentType, encoding, body }: Request): Promise<{ status: number; answer: any }> {
  const headers = {
    authorization: `Bearer ${secret}`,
    'content-type': contentType,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  };
  const response = await fetch(new URL('/events', service.url), {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  return { status: response.status, answer: await response.json() };
}

it(`whatever is posted, each event is stored, a duplicate or in quarantine (seed ${SEED})`, async () => {
  const seen = {
    indexes: new Set<string>(),
    duplicates: 0,
    refused: new Map<string, number>(),
    whole: 0,
    goodIds: new Set<string>(),
  };
  const count = (result: Record<string, unknown>): void => {
    if (typeof result['index'] === 'string') {
      if (result['duplicate'] === true) seen.duplicates += 1;
      else expect(seen.indexes.has(result['index'])).toBe(false);
      seen.indexes.add(result['index']);
      return;
    }
    expect(REJECT_CODES).toHaveProperty([result['error'] as string]);
    seen.refused.set(result['error'] as string, (seen.refused.get(result['error'] as string) ?? 0) + 1);
  };
  const property = fc.asyncProperty(requests, async (request) => {
    const { status, answer } = await post(request);
    expect({ request, status, answer }).toEqual({ request, status: expect.any(Number), answer: expect.anything() });
    expect([200, 400, 403, 409, 413, 415]).toContain(status);
    if ('type' in answer) {
      // Refused as a whole: nothing of it was taken.
      expect([status, answer.code]).toEqual([415, 'unsupported-media-type']);
      seen.whole += 1;
      return;
    }
    const results: Record<string, unknown>[] = Array.isArray(answer) ? answer : [answer];
    expect({ request, results: results.length }).toEqual({ request, results: expectedAnswers(request) });
    expect(status === 200).toBe(Array.isArray(answer) || 'index' in answer);
    results.forEach(count);
    for (const id of request.goodIds) seen.goodIds.add(id);
  });
  await fc.assert(property, { seed: SEED, numRuns: 3_000, interruptAfterTimeLimit: TIME_LIMIT_MS, endOnFailure: true });

  const ask = async <T extends object>(sql: string): Promise<T[]> => (await database.pool.query<T>(sql)).rows;
  const stored = await ask<{ ix: string; id: string }>(
    `SELECT ix, convert_from(bytes, 'UTF8')::json ->> 'id' AS id FROM payload WHERE mode <> 'own'`,
  );
  expect(new Set(stored.map(({ ix }) => ix))).toEqual(seen.indexes);
  const ids = new Set(stored.map(({ id }) => id));
  expect([...seen.goodIds].filter((id) => !ids.has(id))).toEqual([]);
  const quarantined = await ask<{ code: string; n: string }>(
    'SELECT code, count(*) AS n FROM quarantine GROUP BY code',
  );
  expect(new Map(quarantined.map(({ code, n }) => [code, Number(n)]))).toEqual(seen.refused);
  // The run has met the cases that it is about.
  expect([seen.goodIds.size > 50, seen.duplicates > 10, seen.whole > 0]).toEqual([true, true, true]);
  expect([...seen.refused.keys()]).toEqual(
    expect.arrayContaining(['malformed-json', 'invalid-utf8', 'duplicate-key', 'invalid-envelope', 'invalid-data']),
  );
}, 60_000);

const TIME_LIMIT_MS = 12_000;
