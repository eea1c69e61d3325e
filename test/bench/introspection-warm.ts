import { fork } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { AUTHORIZE_REQUEST_PATH } from '../../src/introspection/index.js';
import { createHttpServer } from '../../src/platform/http/http-server.js';
import { createMemoryWorld } from '../conformance/memory-world.js';
import * as parties from '../conformance/parties.js';
import { digestOf, signJwt } from '../conformance/signing.js';
import { createFloor } from './introspection-floor.js';
import { answerOf, heard, interleave, opaqueToken, requestOf, rowsOf, type Load } from './introspection-load.js';
import { startPeer } from './introspection-peer.js';
import type { Row } from './report.js';

const ROUNDS = 12;
const ROUND_MS = 500;
const CONNECTIONS = 32;
const OPAQUE_TOKENS = 10_000;
const JWTS = 1_000;
const MIN_ACTIVE_BYTES = 200;
/** Directory for a CPU profile of the serving process. */
const PROFILE = process.env['BENCH_CPU_PROF'];

const factsAt = (now: number, at: number) =>
  parties.tokenFacts(now, { exp: now + 3_000, id_jag: { ...parties.tokenFacts(now).id_jag!, jti: `gr-${at}` } });

/** Facts and signatures in memory: what most calls meet. */
export async function run(): Promise<readonly Row[]> {
  const now = Math.floor(Date.now() / 1000);
  const key = parties.rasKey;
  const jwts = Array.from({ length: JWTS }, (_, at) =>
    signJwt(key, parties.claimsOf({ ...factsAt(now, 0), jti: `jwt-${at}` })),
  );
  const opaques = Array.from({ length: OPAQUE_TOKENS }, (_, at) => opaqueToken(at));
  const child = fork(fileURLToPath(import.meta.url), ['serve', String(now), JSON.stringify(key.jwk)], {
    execArgv: PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`],
  });
  const peer = await startPeer({ tokens: OPAQUE_TOKENS });
  const { port, floorPort } = await heard<{ port: number; floorPort: number }>(child);
  const loadOf = (path: '/introspect' | '/floor', tokens: readonly string[]): Load => {
    const requests = tokens.map((token) => requestOf({ path, authorization: parties.basic('chat-api'), token }));
    return { ...loadAt(path === '/floor' ? floorPort : port, requests), minBytes: MIN_ACTIVE_BYTES };
  };
  const rows: Row[] = [];
  for (const [name, tokens] of [
    ['opaque', opaques],
    ['jwt', jwts],
  ] as const) {
    const both = { own: loadOf('/introspect', tokens), floor: loadOf('/floor', tokens) };
    const loads =
      name === 'opaque'
        ? { ...both, peer: peer.load({ connections: CONNECTIONS, ms: ROUND_MS, minBytes: MIN_ACTIVE_BYTES }) }
        : both;
    const note = `${tokens.length} tokens in memory; floor: bare node:http that reads the body and answers the same bytes`;
    rows.push(...(await rowsOf(child, `introspection.warm.${name}`, await interleave(child, loads, ROUNDS), note)));
  }
  const proxied = opaques.map(authorizeRequestOf);
  await requirePassing(port, opaques[0]!);
  const note = `${opaques.length} tokens in memory, asked for by a proxy; floor: bare node:http that answers an introspection`;
  rows.push(
    ...(await rowsOf(
      child,
      'introspection.authorize-request',
      await interleave(child, { own: loadAt(port, proxied), floor: loadOf('/floor', opaques) }, ROUNDS),
      note,
    )),
  );
  child.send('end');
  peer.child.kill();
  return rows;
}

function loadAt(port: number, requests: readonly Buffer[]): Load {
  let at = 0;
  return { port, connections: CONNECTIONS, ms: ROUND_MS, next: () => requests[at++ % requests.length]! };
}

const proxyHeaders = (token: string) => ({
  authorization: `Bearer ${token}`,
  'x-rescind-key': parties.secretOf('chat-api'),
  'x-rescind-resource': parties.API,
  'x-rescind-require-scope': 'chat.read',
});

const authorizeRequestOf = (token: string): Buffer =>
  Buffer.from(
    `GET ${AUTHORIZE_REQUEST_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\n${Object.entries(proxyHeaders(token))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
    'latin1',
  );

/** A refusal is as long as a yes, so that the rounds cannot tell them apart. */
async function requirePassing(port: number, token: string): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}${AUTHORIZE_REQUEST_PATH}`, { headers: proxyHeaders(token) });
  if (status !== 200) throw new Error(`${AUTHORIZE_REQUEST_PATH} answers ${status}`);
}

async function serve(now: number, jwk: Record<string, unknown>): Promise<void> {
  const world = createMemoryWorld({ countIntrospections: true });
  world.now = now;
  for (let at = 0; at < OPAQUE_TOKENS; at++) {
    world.recordIdJag(parties.idJagFacts(now, { jti: `gr-${at}` }));
    world.recordToken({ ...factsAt(now, at), sha256: digestOf(opaqueToken(at)) });
  }
  const changed = { ...parties.RAS_SOURCE, jwks: { keys: [jwk] } };
  world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: changed.id, body: changed });
  for (let at = 0; at < JWTS; at++) world.recordToken({ ...factsAt(now, 0), jti: `jwt-${at}` });
  setInterval(() => (world.now = Date.now() / 1000), 100);

  const { body } = await world.ask(opaqueToken(0));
  const hot = new Map([
    ['/introspect', world.handle],
    [AUTHORIZE_REQUEST_PATH, world.authorizeRequest],
  ]);
  // The listener of the product, with all that it does before a handler.
  const own = createHttpServer({
    framework: (_req, res) => void res.end(),
    hot,
    tls: undefined,
    isClosing: () => false,
  });
  const [port, floorPort] = await Promise.all([own, createServer(createFloor(body!))].map(portOf));
  process.send!({ port, floorPort });
  process.on('message', (message) => {
    const answer = answerOf(message);
    if (answer === undefined) process.exit(0);
    process.send!(answer);
  });
}

const portOf = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

const [role, now, jwk] = process.argv.slice(2);
if (role === 'serve' && process.send) await serve(Number(now), JSON.parse(jwk!) as Record<string, unknown>);
