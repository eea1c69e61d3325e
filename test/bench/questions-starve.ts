import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { API, RAS } from './events.js';
import { heard, tell } from './introspection-load.js';
import { startSeeded, type QuestionsService, type Size } from './questions-service.js';
import { quantile, type Row } from './report.js';
import { requestOf, tokenEvents } from './revocation-service.js';

const SIZE: Size = { events: 20_000, days: 9 };
const READERS = 200;
const READING_CALLERS = 4;
const SCRAPERS = 100;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const ROUND_MS = 4_000;
/** How long the readers have to begin. */
const SETTLE_MS = 2_000;
const REST_MS = 10;
const TOKENS = 20_000;
const TOKENS_A_POST = 1_000;
const FORM = 'application/x-www-form-urlencoded';
const DAY_MS = 86_400_000;

interface Keys {
  readonly readers: readonly string[];
  readonly analyst: string;
  readonly api: string;
}

/** Orders and introspection of tokens that are not in memory, one after the other: quiet, and beside readers who ask as fast as they are answered. */
export async function run(): Promise<readonly Row[]> {
  const service = await startSeeded(SIZE, (line) => console.error(line));
  try {
    const tokens = Array.from({ length: TOKENS }, () => randomBytes(24).toString('base64url'));
    const keys = await prepare(service, tokens);
    const asked = {
      orders: { quiet: [] as number[], busy: [] as number[] },
      cold: { quiet: [] as number[], busy: [] as number[] },
    };
    let refused = 0;
    let done: Reading = { answered: 0, refused: 0, failed: 0, scraped: 0, seconds: 1 };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const state of ['quiet', 'busy'] as const) {
        const readers = state === 'busy' ? await startReaders(service, keys) : undefined;
        const orders = await timed(service, () => order(keys));
        const cold = await timed(service, () => introspect(keys, tokens.pop()!));
        if (readers) done = await readers.stop();
        // The first round warms up.
        if (round === 0) continue;
        asked.orders[state].push(...orders.ms);
        asked.cold[state].push(...cold.ms);
        refused += orders.failed + cold.failed;
      }
    }
    const perSecond = (count: number): string => (count / done.seconds).toFixed(0);
    const beside = `${READERS} greedy readers of ${READING_CALLERS} callers (${perSecond(done.answered)} answers/s, ${perSecond(done.refused)} refusals/s, ${done.failed} failures) and ${SCRAPERS} connections on /metrics (${perSecond(done.scraped)}/s), ${SIZE.events.toLocaleString('en')} events; ${refused} calls failed`;
    return [rowOf('orders', asked.orders, beside), rowOf('cold', asked.cold, beside)];
  } finally {
    await service.stop();
  }
}

function rowOf(
  name: string,
  { quiet, busy }: { readonly quiet: readonly number[]; readonly busy: readonly number[] },
  beside: string,
): Row {
  const [p50, p99, quiet50, quiet99] = [
    quantile(busy, 0.5),
    quantile(busy, 0.99),
    quantile(quiet, 0.5),
    quantile(quiet, 0.99),
  ];
  const note = `${busy.length} calls beside ${beside}; floor: the same without them, p50 ${quiet50.toFixed(2)} ms, p99 ${quiet99.toFixed(2)} ms; p99 ${(p99 / quiet99).toFixed(1)} × its`;
  return {
    name: `questions.starve.${name}`,
    value: p50,
    unit: 'ms',
    floor: quiet50,
    ratio: p50 / quiet50,
    p50,
    p99,
    note,
  };
}

async function prepare(service: QuestionsService, tokens: readonly string[]): Promise<Keys> {
  const admin = createRescindAdmin(service.url, service.key);
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const uri = `${RAS}/${name}`;
  await admin.post('/v1/sources', {
    name,
    uri,
    types: ['token.issued'],
    issuers: [RAS],
    resources: [API],
    profile: { lineage: 'none' },
  });
  const caller = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id: `${id}-of-${name}`, roles })).secret;
  const emitter = await caller('emitter', { emit: { sources: [name] } });
  for (let from = 0; from < tokens.length; from += TOKENS_A_POST) {
    const body = tokenEvents(tokens.slice(from, from + TOKENS_A_POST)).replaceAll(`"${RAS}/events"`, `"${uri}"`);
    const response = await fetch(`${service.url}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${emitter}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE },
      body,
    });
    const text = await response.text();
    if (!response.ok || text.includes('"error"'))
      throw new Error(`tokens were refused: ${response.status} ${text.slice(0, 200)}`);
  }
  const readers: string[] = [];
  while (readers.length < READING_CALLERS) readers.push(await caller(`reader-${readers.length}`, { audit: {} }));
  return {
    readers,
    analyst: await caller('analyst', { revoke: { tenant: true } }),
    api: await caller('api', { introspect: { resources: [API], issuers: [RAS] } }),
  };
}

let serial = 0;
const order = ({ analyst }: Keys): Buffer =>
  requestOf(
    '/v1/revocations',
    `Bearer ${analyst}`,
    'application/json',
    JSON.stringify({
      selector: { user: { iss: 'https://idp.bench.example', sub: `stopped-${(serial += 1)}` } },
      reason: 'bench',
    }),
  );
const introspect = ({ api }: Keys, token: string): Buffer =>
  requestOf('/introspect', `Bearer ${api}`, FORM, `token=${token}`);

/** One call after the other. A call that is not answered with 2xx counts with its time, and as failed. */
async function timed(
  { url }: QuestionsService,
  next: () => Buffer,
): Promise<{ readonly ms: readonly number[]; readonly failed: number }> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const ms: number[] = [];
  let failed = 0;
  for (const until = performance.now() + ROUND_MS; performance.now() < until; ) {
    const sentAt = performance.now();
    const answer = new Promise<Buffer>((resolve, reject) =>
      socket.once('data', resolve).once('close', () => reject(new Error('the connection was closed'))),
    );
    socket.write(next());
    if (!(await answer).toString('latin1', 0, 12).startsWith('HTTP/1.1 2')) failed += 1;
    ms.push(performance.now() - sentAt);
    socket.removeAllListeners('close');
    await delay(REST_MS);
  }
  socket.destroy();
  return { ms, failed };
}

interface Reading {
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly scraped: number;
  readonly seconds: number;
}

async function startReaders(service: QuestionsService, keys: Keys): Promise<{ stop(): Promise<Reading> }> {
  const child: ChildProcess = fork(
    fileURLToPath(import.meta.url),
    ['read', service.url, JSON.stringify(keys.readers)],
    { detached: true },
  );
  await heard(child);
  await delay(SETTLE_MS);
  return { stop: () => tell<Reading>(child, 'end') };
}

/** In a process of its own: asks again the moment it is answered or refused, whatever Retry-After says. */
function read(url: string, keys: readonly string[]): void {
  const counts = { answered: 0, refused: 0, failed: 0, scraped: 0 };
  const beganAt = performance.now();
  const since = new Date(Date.now() - DAY_MS).toISOString();
  const questions = ['/v1/graph', `/v1/changes?since=${since}`, '/v1/access'];
  const port = Number(new URL(url).port);
  const count = (status: number): void => {
    if (status === 200) counts.answered += 1;
    else if (status === 429) counts.refused += 1;
    else counts.failed += 1;
  };
  for (let nth = 0; nth < READERS; nth += 1) {
    const request = Buffer.from(
      `GET ${questions[nth % questions.length]} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keys[nth % keys.length]}\r\n\r\n`,
    );
    askForEver(port, request, count);
  }
  const scrape = Buffer.from('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  for (let nth = 0; nth < SCRAPERS; nth += 1) askForEver(port, scrape, () => (counts.scraped += 1));
  process.send!('reading');
  process.once('message', () => {
    process.send!({ ...counts, seconds: (performance.now() - beganAt) / 1000 }, () => process.exit(0));
  });
}

function askForEver(port: number, request: Buffer, count: (status: number) => void): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let head = '';
  let left = 0;
  let status = 0;
  socket.on('connect', () => socket.write(request));
  socket.on('data', (chunk) => {
    let body = chunk.length;
    if (left === 0) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      status = Number(head.slice(9, 12));
      left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      body = head.length - end - 4;
      head = '';
    }
    left -= body;
    if (left > 0) return;
    left = 0;
    count(status);
    socket.write(request);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(() => askForEver(port, request, count), 100));
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'read') {
  // In another session than its parent it would outlive it.
  process.once('disconnect', () => process.exit(1));
  read(rest[0]!, JSON.parse(rest[1]!) as string[]);
}
