import { fork, type ChildProcess } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createMemoryWorld } from '../conformance/memory-world.js';
import * as parties from '../conformance/parties.js';
import { digestOf, signJwt } from '../conformance/signing.js';

/**
 * `introspection.warm`: opaque and JWT tokens whose facts and signatures are in memory, against a bare `node:http`
 * handler that reads the same body, parses nothing and answers the same bytes. Server and client are a process each; the
 * two handlers are asked in turn, in short rounds, so that both meet the same machine.
 */

const ROUND_MS = 1_000;
const ROUNDS = 8;
const CONNECTIONS = 16;
const TOKENS = 1_000;
/** Directory for a CPU profile of the serving process. */
const PROFILE = process.env['BENCH_CPU_PROF'];
/** The same in both processes. */
const NOW = Number(process.env['BENCH_NOW'] ?? Math.floor(Date.now() / 1000));

const opaqueToken = (at: number): string => `at_${digestOf(`token ${at}`)}`;
const facts = (at: number) => parties.tokenFacts(NOW, { exp: NOW + 3_000, id_jag: { ...parties.tokenFacts(NOW).id_jag!, jti: `gr-${at}` } });

/** The serving process. */
async function serve(jwts: readonly string[]): Promise<void> {
  const world = createMemoryWorld();
  world.now = NOW;
  for (let at = 0; at < TOKENS; at++) {
    world.recordIdJag(parties.idJagFacts(NOW, { jti: `gr-${at}` }));
    world.recordToken({ ...facts(at), sha256: digestOf(opaqueToken(at)) });
  }
  world.recordIdJag(parties.idJagFacts(NOW, { jti: `gr-jwt` }));
  const changed = { ...parties.RAS_SOURCE, jwks: { keys: [JSON.parse(jwts[0]!) as Record<string, unknown>] } };
  world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: changed.id, body: changed });
  for (let at = 0; at < jwts.length - 1; at++) world.recordToken({ ...facts(0), jti: `jwt-${at}` });
  const timer = setInterval(() => (world.now = Date.now() / 1000), 100);

  const { body } = await world.ask(opaqueToken(0));
  const length = Buffer.byteLength(body!);
  const floor: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': length });
      res.end(body);
    });
  };
  const server = createServer((req, res) => (req.url === '/floor' ? floor(req, res) : world.handle(req, res)));
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  process.on('message', (message) => {
    if (message === 'cpu') process.send!({ cpu: process.cpuUsage() });
    else {
      clearInterval(timer);
      process.exit(0);
    }
  });
}

interface Round {
  readonly requests: number;
  readonly seconds: number;
  readonly cpuUs: number;
  readonly latenciesUs: readonly number[];
}

async function measure(): Promise<void> {
  const key = parties.rasKey;
  const jwts = Array.from({ length: TOKENS / 10 }, (_, at) => signJwt(key, parties.claimsOf({ ...facts(0), jti: `jwt-${at}` })));
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(key.jwk), ...jwts], {
    env: { ...process.env, BENCH_NOW: String(NOW) },
    execArgv: PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`],
  });
  const { port } = await heard<{ port: number }>(child);
  const opaques = Array.from({ length: TOKENS }, (_, at) => opaqueToken(at));
  const json = process.argv.includes('--json');
  if (!json) console.log(['row', 'req/s', 'floor', 'ratio', 'µs CPU', 'floor', 'p50 µs', 'p99 µs'].map((title) => title.padStart(12)).join(''));
  const only = process.argv.find((argument) => argument === 'opaque' || argument === 'jwt');
  for (const [name, tokens] of [['opaque', opaques], ['jwt', jwts]] as const) {
    if (only !== undefined && only !== name) continue;
    await ask(child, port, '/introspect', tokens, ROUND_MS);
    await ask(child, port, '/floor', tokens, ROUND_MS);
    const own: Round[] = [];
    const floor: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      floor.push(await ask(child, port, '/floor', tokens, ROUND_MS));
      own.push(await ask(child, port, '/introspect', tokens, ROUND_MS));
    }
    report(name, own, floor, json);
  }
  child.send('end');
}

function report(name: string, own: readonly Round[], floor: readonly Round[], json: boolean): void {
  const rate = (rounds: readonly Round[]): number => sum(rounds.map(({ requests }) => requests)) / sum(rounds.map(({ seconds }) => seconds));
  const cpu = (rounds: readonly Round[]): number => sum(rounds.map(({ cpuUs }) => cpuUs)) / sum(rounds.map(({ requests }) => requests));
  const latencies = own.flatMap(({ latenciesUs }) => latenciesUs).sort((a, b) => a - b);
  const row = {
    name: `introspection.warm.${name}`,
    value: Math.round(rate(own)),
    unit: 'req/s',
    floor: Math.round(rate(floor)),
    ratio: Number((rate(own) / rate(floor)).toFixed(3)),
    cpu_us: Number(cpu(own).toFixed(1)),
    floor_cpu_us: Number(cpu(floor).toFixed(1)),
    p50: Math.round(latencies[Math.floor(latencies.length * 0.5)]!),
    p99: Math.round(latencies[Math.floor(latencies.length * 0.99)]!),
  };
  if (json) console.log(JSON.stringify(row));
  else console.log([row.name.slice(14), row.value, row.floor, row.ratio, row.cpu_us, row.floor_cpu_us, row.p50, row.p99].map((cell) => String(cell).padStart(12)).join(''));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Asks over a few kept-alive connections, each with one request under way, for `ms` milliseconds. */
async function ask(child: ChildProcess, port: number, path: string, tokens: readonly string[], ms: number): Promise<Round> {
  const requests = tokens.map((token) => {
    const body = `token=${token}&token_type_hint=access_token`;
    return Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${parties.basic('chat-api')}\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  const before = await cpuOf(child);
  const start = process.hrtime.bigint();
  const until = Date.now() + ms;
  const latenciesUs: number[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => runConnection(port, () => requests[next++ % requests.length]!, until, latenciesUs)));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { requests: latenciesUs.length, seconds, cpuUs: (await cpuOf(child)) - before, latenciesUs };
}

function runConnection(port: number, request: () => Buffer, until: number, latenciesUs: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0n;
    const send = (): void => {
      if (Date.now() >= until) {
        socket.destroy();
        return resolve();
      }
      sentAt = process.hrtime.bigint();
      socket.write(request());
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      // One request is under way, and its answer fits one segment: the body's closing brace or padding ends it.
      if (!chunk.includes('"active":true')) return reject(new Error(`not active: ${chunk.toString('latin1').slice(0, 200)}`));
      latenciesUs.push(Number(process.hrtime.bigint() - sentAt) / 1_000);
      send();
    });
  });
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const { cpu } = await heard<{ cpu: NodeJS.CpuUsage }>(child);
  return cpu.user + cpu.system;
}

const heard = <T>(child: ChildProcess): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));

if (process.send) await serve(process.argv.slice(2));
else await measure();
