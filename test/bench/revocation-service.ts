import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { buildEvent } from '../../src/emit/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool, type Pool } from '../../src/platform/postgres/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { API, IDP, RAS } from './events.js';
import { heard } from './introspection-load.js';

/** Directory for a CPU profile of the service. */
const PROFILE = process.env['BENCH_CPU_PROF'];
const LOG_LEVEL = process.env['BENCH_LOG_LEVEL'] ?? 'error';
const TOKENS_A_POST = 1_000;
const CLIENT_ID = 'wiki';

/** Nodes in processes of their own, on one PostgreSQL, and callers that revoke and introspect. */
export interface RevocationService {
  /** The port of each node. */
  readonly ports: readonly number[];
  readonly children: readonly ChildProcess[];
  readonly pool: Pool;
  readonly keys: Readonly<Record<'emitter' | 'wiki' | 'analyst' | 'api', string>>;
  /** Records opaque tokens of the caller's client; good for an hour. */
  record(texts: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startService(nodes: number): Promise<RevocationService> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const postgres = await startEmbeddedPostgres({
    directory: join(home, 'postgres'),
    log: createLog({ level: LOG_LEVEL }),
  });
  const children: ChildProcess[] = [];
  const urls: string[] = [];
  let adminKey = '';
  // One after the other: the first prepares the database.
  while (children.length < nodes) {
    const child = fork(fileURLToPath(import.meta.url), ['serve', home, postgres.url], {
      execArgv: PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`],
    });
    const started = await heard<{ url: string; adminKey: string }>(child);
    children.push(child);
    urls.push(started.url);
    adminKey = started.adminKey;
  }
  const url = urls[0]!;
  const admin = createRescindAdmin(url, adminKey);
  await admin.post('/v1/sources', {
    name: 'ras',
    uri: `${RAS}/events`,
    types: ['token.issued'],
    issuers: [RAS],
    resources: [API],
    profile: { lineage: 'none' },
  });
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: `${IDP}/events`,
    types: ['session.ended', 'user.disabled'],
    issuers: [IDP],
    resources: [],
  });
  const caller = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  const keys = {
    emitter: await caller('emitter', { emit: { sources: ['ras', 'idp'] } }),
    wiki: await caller('wiki', { 'revoke-own': { clients: [{ iss: RAS, client_id: CLIENT_ID }] } }),
    analyst: await caller('analyst', { revoke: { tenant: true } }),
    api: await caller('api', { introspect: { resources: [API], issuers: [RAS] } }),
  };
  const pool = createPool({ url: postgres.url, max: 64, applicationName: 'bench' });
  await pool.query('CREATE TABLE bench_floor (n bigint)');
  return {
    ports: urls.map((each) => Number(new URL(each).port)),
    children,
    pool,
    keys,
    async record(texts) {
      for (let from = 0; from < texts.length; from += TOKENS_A_POST) {
        const response = await fetch(`${url}/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${keys.emitter}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE },
          body: tokenEvents(texts.slice(from, from + TOKENS_A_POST)),
        });
        const text = await response.text();
        if (!response.ok || text.includes('"error"'))
          throw new Error(`tokens were refused: ${response.status} ${text.slice(0, 200)}`);
      }
    },
    async stop() {
      const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.send('end');
      await Promise.all(ended);
      await pool.end();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export const tokenEvents = (texts: readonly string[]): string => JSON.stringify(texts.map(tokenEvent));

function tokenEvent(text: string): object {
  const now = Math.floor(Date.now() / 1000);
  const sha256 = createHash('sha256').update(text).digest('base64url');
  return buildEvent('token.issued', {
    source: `${RAS}/events`,
    data: {
      kind: 'access',
      iss: RAS,
      sha256,
      sub: `u-${sha256.slice(0, 3)}`,
      client_id: CLIENT_ID,
      aud: [API],
      scope: 'read',
      iat: now,
      exp: now + 3_600,
    },
  });
}

/** A load over kept-alive connections, with one request under way on each. */
export interface Asking {
  /** Connections take them in turn. */
  readonly ports: readonly number[];
  readonly connections: number;
  /** The next request, whole; undefined: enough. */
  readonly next: () => Buffer | undefined;
  /** Status of a good answer. */
  readonly status: number;
  /** How long a connection rests between an answer and the next request. */
  readonly restMs?: number;
}

/** Milliseconds of each answer. */
export async function askAll({ ports, connections, next, status, restMs = 0 }: Asking): Promise<number[]> {
  const latenciesMs: number[] = [];
  const good = Buffer.from(`HTTP/1.1 ${status}`);
  const runConnection = (nth: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: ports[nth % ports.length]!, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      const send = (): void => {
        const request = next();
        if (request === undefined) {
          socket.destroy();
          return resolve();
        }
        sentAt = performance.now();
        socket.write(request);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      // Answers are small: each fits one segment.
      socket.on('data', (chunk) => {
        if (!chunk.subarray(0, good.length).equals(good))
          return reject(new Error(`not answered as expected: ${chunk.toString('latin1').slice(0, 300)}`));
        latenciesMs.push(performance.now() - sentAt);
        if (restMs > 0) setTimeout(send, restMs);
        else send();
      });
    });
  await Promise.all(Array.from({ length: connections }, (_, nth) => runConnection(nth)));
  return latenciesMs;
}

export function requestOf(path: string, authorization: string, type: string, body: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** Bare durable commits of one row: milliseconds of each. */
export async function commitRows(
  pool: Pool,
  connections: number,
  hasTime: () => boolean,
  restMs = 0,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  const runConnection = async (): Promise<void> => {
    const client = await pool.connect();
    while (hasTime()) {
      const sentAt = performance.now();
      await client.query({ name: 'floor', text: 'INSERT INTO bench_floor (n) VALUES ($1)', values: [1] });
      latenciesMs.push(performance.now() - sentAt);
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    client.release();
  };
  await Promise.all(Array.from({ length: connections }, runConnection));
  return latenciesMs;
}

const [role, home, databaseUrl] = process.argv.slice(2);
if (role === 'serve' && process.send) {
  const config = readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: databaseUrl, KAFKA_BROKERS: 'none' });
  const service = await startRescind(config, { log: createLog({ level: LOG_LEVEL }) });
  process.send({ url: service.url, adminKey: service.adminKey });
  process.on('message', (message) => {
    if (message === 'cpu') process.send!(process.cpuUsage());
    else void service.stop().then(() => process.exit(0));
  });
}
