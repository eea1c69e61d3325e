import { fork, type ChildProcess } from 'node:child_process';
import { constants, createPublicKey, randomUUID, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventType, type IdJagIssued, type TokenIssued } from '../../src/contracts/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool } from '../../src/platform/postgres/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import * as parties from '../conformance/parties.js';
import { digestOf, makeKey, signJwt, type Algorithm, type SigningKey } from '../conformance/signing.js';
import { createFloor } from './introspection-floor.js';
import { answerOf, heard, opaqueToken } from './introspection-load.js';

/** Numbers of tokens that are recorded before anybody asks. */
export interface Recorded {
  readonly opaque: number;
  readonly jwts: Readonly<Partial<Record<Algorithm, number>>>;
  /** Tokens that nobody asks about, in the same tables. */
  readonly beside?: number;
}

export interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly floorPort: number;
  readonly databaseUrl: string;
  /** The `Authorization` headers of the registered callers. */
  readonly callers: { readonly honest: string; readonly other: string };
  readonly jwts: Readonly<Partial<Record<Algorithm, readonly string[]>>>;
  stop(): Promise<void>;
}

/** The whole service on a PostgreSQL of its own, in one process with the floor; tokens recorded through its own door. */
export async function startService(recorded: Recorded): Promise<Started> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', JSON.stringify(recorded)], {
    execArgv: PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`],
  });
  const started = await heard<Omit<Started, 'child' | 'stop'>>(child);
  return {
    child,
    ...started,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.send('end');
      await ended;
    },
  };
}

/** Directory for a CPU profile of the serving process. */
const PROFILE = process.env['BENCH_CPU_PROF'];
const EVENTS_A_POST = 1_000;
const ALGORITHMS: readonly Algorithm[] = ['ES256', 'EdDSA', 'RS256', 'PS256'];

async function serve({ opaque, jwts: wanted, beside = 0 }: Recorded): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  const config = readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: postgres.url, KAFKA_BROKERS: 'none' });
  const service = await startRescind(config, { log });
  const keys = ALGORITHMS.map((alg) => makeKey(alg, alg));
  const emitKey = await register(
    service.url,
    service.adminKey!,
    keys.map(({ jwk }) => jwk),
  );
  const now = Math.floor(Date.now() / 1000);
  const facts: TokenIssued[] = Array.from({ length: opaque }, (_, at) =>
    factsAt(now, at, { sha256: digestOf(opaqueToken(at)) }),
  );
  const jwts: Partial<Record<Algorithm, string[]>> = {};
  for (const key of keys) {
    const of = Array.from({ length: wanted[key.alg] ?? 0 }, (_, at) =>
      factsAt(now, facts.length + at, { jti: `${key.alg}-${at}` }),
    );
    facts.push(...of);
    jwts[key.alg] = of.map((fact) => signJwt(key, parties.claimsOf(fact)));
  }
  await emit(service.url, emitKey.emitter, now, facts);

  if (beside > 0) await recordBeside(postgres.url, beside);
  const floor = createServer(createFloor('x'.repeat(FLOOR_BODY_BYTES)));
  await new Promise<void>((resolve) => floor.listen(0, '127.0.0.1', resolve));
  process.on('message', async (message) => {
    const answer = answerOf(message);
    if (answer !== undefined) process.send!(answer);
    else if (message === 'loop') process.send!(performance.eventLoopUtilization());
    else if (typeof message === 'object')
      process.send!(await verifyAll((message as { verify: string[] }).verify, keys));
    else {
      await service.stop();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
      process.exit(0);
    }
  });
  const callers = { honest: `Bearer ${emitKey.honest}`, other: `Bearer ${emitKey.other}` };
  process.send!({
    port: Number(new URL(service.url).port),
    floorPort: (floor.address() as AddressInfo).port,
    databaseUrl: postgres.url,
    callers,
    jwts,
  });
}

/** Copies of what is recorded under keys of their own; then all rows in the order of their keys, so that those asked about lie anywhere. */
async function recordBeside(url: string, count: number): Promise<void> {
  const pool = createPool({
    url,
    max: 1,
    applicationName: 'bench',
    timeouts: { statementMs: FILL_TIMEOUT_MS, transactionMs: FILL_TIMEOUT_MS },
  });
  await pool.query(
    `INSERT INTO id_jag SELECT (jsonb_populate_record(j.one, jsonb_build_object('key', '\\x' || substring(encode(sha256(('j' || n)::bytea), 'hex') for 32)))).*
     FROM (SELECT id_jag AS one FROM id_jag LIMIT 1) j, generate_series(1, $1::int) n`,
    [count],
  );
  await pool.query(
    `INSERT INTO token SELECT (jsonb_populate_record(t.one, jsonb_build_object(
       'key', '\\x' || substring(encode(sha256(('t' || n)::bytea), 'hex') for 32), 'id_jag_key', '\\x' || substring(encode(sha256(('j' || n)::bytea), 'hex') for 32)))).*
     FROM (SELECT token AS one FROM token LIMIT 1) t, generate_series(1, $1::int) n`,
    [count],
  );
  for (const table of ['token', 'id_jag']) await pool.query(`CLUSTER ${table} USING ${table}_pkey`);
  await pool.query('ANALYZE token, id_jag');
  await pool.end();
}

const FILL_TIMEOUT_MS = 600_000;

/** Length of an active answer about these tokens. */
const FLOOR_BODY_BYTES = 240;

const factsAt = (now: number, at: number, identity: Partial<TokenIssued>): TokenIssued =>
  parties.tokenFacts(now, {
    exp: now + 3_000,
    sub: `chat-u-${at % 5_000}`,
    ...identity,
    id_jag: { ...parties.tokenFacts(now).id_jag!, jti: `gr-${at}`, sub: `u-${at % 5_000}` },
  });

async function register(url: string, adminKey: string, jwks: readonly object[]) {
  const admin = createRescindAdmin(url, adminKey);
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: parties.IDP,
    types: ['id-jag.issued'],
    issuers: [parties.IDP],
    resources: [],
  });
  await admin.post('/v1/sources', {
    name: 'chat',
    uri: parties.RAS,
    types: ['token.issued'],
    issuers: [parties.RAS],
    resources: [parties.API],
    jwks: { keys: jwks },
    profile: { algorithms: ALGORITHMS },
  });
  const introspect = { resources: [parties.API], issuers: [parties.RAS] };
  const caller = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  return {
    emitter: await caller('emitter', { emit: { sources: ['idp', 'chat'] } }),
    honest: await caller('honest', { introspect }),
    other: await caller('other', { introspect }),
  };
}

async function emit(url: string, key: string, now: number, facts: readonly TokenIssued[]): Promise<void> {
  const event = (name: 'id-jag.issued' | 'token.issued', source: string, data: TokenIssued | IdJagIssued): object => ({
    specversion: '1.0',
    type: eventType(name),
    source,
    id: randomUUID(),
    time: new Date().toISOString(),
    data,
  });
  const events = facts.flatMap((fact) => [
    event('id-jag.issued', parties.IDP, parties.idJagFacts(now, { jti: fact.id_jag!.jti!, sub: fact.id_jag!.sub! })),
    event('token.issued', parties.RAS, fact),
  ]);
  for (let from = 0; from < events.length; from += EVENTS_A_POST) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/events`, {
      method: 'POST',
      headers,
      body: JSON.stringify(events.slice(from, from + EVENTS_A_POST)),
    });
    const results = (await response.json()) as readonly { index?: string }[];
    const refused = response.ok ? results.find(({ index }) => index === undefined) : results;
    if (refused) throw new Error(`refused: ${response.status} ${JSON.stringify(refused)}`);
  }
}

/** Bare `crypto.verify` of the same texts: one after the other on one thread, and all at once on libuv's; milliseconds. */
async function verifyAll(
  texts: readonly string[],
  keys: readonly SigningKey[],
): Promise<{ ms: number; threadsMs: number }> {
  const prepared = texts.map((text) => {
    const end = text.lastIndexOf('.');
    const { kid } = JSON.parse(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString()) as {
      kid: string;
    };
    const { alg, jwk } = keys.find((key) => key.kid === kid)!;
    const key: VerifyKeyObjectInput = { key: createPublicKey({ key: jwk, format: 'jwk' }), ...PARAMETERS[alg] };
    return {
      digest: alg === 'EdDSA' ? null : 'sha256',
      key,
      input: Buffer.from(text.slice(0, end)),
      signature: Buffer.from(text.slice(end + 1), 'base64url'),
    };
  });
  const startedAt = performance.now();
  for (const { digest, key, input, signature } of prepared)
    if (!verify(digest, input, key, signature)) throw new Error('not verified');
  const ms = performance.now() - startedAt;
  const threadsAt = performance.now();
  const verifyOnThread = promisify(verify) as (...of: readonly unknown[]) => Promise<boolean>;
  const good = await Promise.all(
    prepared.map(({ digest, key, input, signature }) => verifyOnThread(digest, input, key, signature)),
  );
  if (good.includes(false)) throw new Error('not verified');
  return { ms, threadsMs: performance.now() - threadsAt };
}

const PARAMETERS: Readonly<Partial<Record<Algorithm, Omit<VerifyKeyObjectInput, 'key'>>>> = {
  ES256: { dsaEncoding: 'ieee-p1363' },
  EdDSA: {},
  RS256: { padding: constants.RSA_PKCS1_PADDING },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
};

const [role, recorded] = process.argv.slice(2);
if (role === 'serve' && process.send) await serve(JSON.parse(recorded!) as Recorded);
