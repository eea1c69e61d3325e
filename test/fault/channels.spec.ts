import { createSocket, type Socket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket as Connection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPushing, type Pushing } from '../integration/channels/pushing.js';
import { startReceiver, until, type Receiver } from '../integration/channels/receiver.js';
import { cleanUp } from '../support/cleanups.js';

const TEST_TIMEOUT_MS = 120_000;
const MIB = 1_048_576;
/** Bytes that the flooding receiver sends, if it is let. */
const FLOOD_BYTES = 10_000 * MIB;
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n';

const cleanups = cleanUp(afterAll);

/** A TCP server that does with each connection, once a request has come, what it is told. */
async function startRude(act: (connection: Connection) => void) {
  const connections = new Set<Connection>();
  const server: Server = createServer((connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    connection.once('data', () => act(connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, connections };
}

/** A name server whose every name has the address 10.0.0.1, but `slow.example`, of which it says nothing. */
async function startNameServer(): Promise<string> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    if (query.includes('slow')) return;
    const isFour = query.readUInt16BE(query.length - 4) === 1 || query.includes(Buffer.from([0, 1, 0, 1]));
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isFour ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
    socket.send(Buffer.concat([head, question, ...(isFour ? [answer] : [])]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return `127.0.0.1:${socket.address().port}`;
}

let pushing: Pushing;
let honest: Receiver;
/** Listens on loopback, where a redirect leads. */
let inside: Receiver;
let floodedBytes = 0;
beforeAll(async () => {
  pushing = await startPushing(cleanups, { nameServers: [await startNameServer()] });
  honest = await startReceiver();
  inside = await startReceiver();
  const flaky = await startReceiver({ answer: (_, nth) => ({ status: nth === 1 ? 500 : 200 }) });
  const redirecting = await startReceiver({
    answer: () => ({ status: 307, headers: { location: inside.url } }),
  });
  cleanups.push(() => Promise.all([honest, inside, flaky, redirecting].map((one) => one.stop())));
  const hanging = await startRude(() => undefined);
  const trickling = await startRude((connection) => {
    connection.write(`${HEAD}content-length: 100000\r\n\r\n`);
    const timer = setInterval(() => connection.write('x'), 200);
    connection.on('close', () => clearInterval(timer));
  });
  const flooding = await startRude((connection) => {
    connection.write(`${HEAD}content-length: ${FLOOD_BYTES}\r\n\r\n`);
    const chunk = Buffer.alloc(MIB);
    const flood = (): void => {
      while (!connection.destroyed && floodedBytes < FLOOD_BYTES) {
        floodedBytes += chunk.length;
        if (!connection.write(chunk)) return;
      }
    };
    connection.on('drain', flood);
    flood();
  });
  const breaking = await startRude((connection) => {
    connection.write(`${HEAD}content-length: 100\r\n\r\nhalf`, () => connection.destroy());
  });
  const lying = await startRude((connection) => connection.end('SSH-2.0-OpenSSH_9.9\r\n'));
  const away = await startReceiver();
  await away.stop();
  const addresses = {
    honest: honest.url,
    hanging: hanging.url,
    trickling: trickling.url,
    redirecting: redirecting.url,
    flooding: flooding.url,
    flaky: flaky.url,
    breaking: breaking.url,
    lying: lying.url,
    away: away.url,
    private: 'https://inside.example/hook',
    slow: 'https://slow.example/hook',
    metadata: 'http://169.254.169.254/latest/meta-data',
    plain: 'http://inside.example/hook',
    mapped: `https://[::ffff:10.0.0.1]/hook`,
    unspecified: 'https://0.0.0.0/hook',
  };
  for (const [name, address] of Object.entries(addresses))
    await pushing.ok('PUT', `/${name}`, { kind: 'webhook', address });
}, TEST_TIMEOUT_MS);

const attempted = (name: string) =>
  until(`an attempt of ${name}`, async () => {
    const [delivery] = await pushing.deliveries(name);
    return delivery !== undefined && delivery.attempts > 0 && delivery;
  });

describe('receivers that hang, trickle, redirect, flood, break off, lie, are private or away', () => {
  it(
    'keep no other channel waiting, cost bounded memory, and let ingest go on',
    async () => {
      // A pause of an hour keeps each failing delivery at one attempt; only the flaky one is replayed.
      const deliverer = pushing.startDelivering({ random: () => 0.99 });
      cleanups.push(() => deliverer.stop());
      const before = process.memoryUsage().rss;
      await pushing.makeFinding('ann');
      await until('the first honest message', () => honest.arrived.length > 0);
      // Those that hang still hang: nobody has waited for them.
      expect((await pushing.deliveries('hanging'))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
      for (const user of ['ben', 'cid', 'dan']) await pushing.makeFinding(user);
      await until('all honest messages', () => honest.arrived.length === 4);
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['hanging', { status: null, problem: 'no answer in 10000 ms' }],
    ['trickling', { status: null, problem: 'no end of the answer in 15000 ms' }],
    ['redirecting', { status: 307, problem: 'the receiver redirects, which is not followed' }],
    ['breaking', { status: null, problem: expect.stringMatching(/aborted|hang up/) }],
    ['lying', { status: null, problem: expect.stringMatching(/^Parse Error/) }],
    ['away', { status: null, problem: expect.stringContaining('ECONNREFUSED') }],
    ['private', { status: null, problem: 'the address is not public' }],
    ['slow', { status: null, problem: 'no connection in 5000 ms' }],
    ['metadata', { status: null, problem: 'the address is not allowed without TLS' }],
    ['plain', { status: null, problem: 'the address is not allowed without TLS' }],
    ['mapped', { status: null, problem: 'the address is not public' }],
    ['unspecified', { status: null, problem: 'the address is not public' }],
  ])(
    '%s: the attempt fails and will be made again',
    async (name, expected) => {
      expect(await attempted(name)).toMatchObject({ ...expected, state: 'waiting' });
    },
    TEST_TIMEOUT_MS,
  );

  it('a redirect leads nowhere, and a flood is cut off', async () => {
    await attempted('redirecting');
    expect(inside.arrived).toEqual([]);
    expect(await attempted('flooding')).toMatchObject({ status: 200, state: 'delivered' });
    expect(floodedBytes).toBeLessThan(500 * MIB);
  });

  it('one that answers 500 first has the message when it is asked again', async () => {
    await attempted('flaky');
    await pushing.ok('POST', '/flaky/replay', { state: 'waiting' });
    await until('the delivery', async () => (await pushing.deliveries('flaky', '?state=waiting')).length === 0);
  });

  it('what a trial of a private receiver says is no more than that', async () => {
    expect(await pushing.ok('POST', '/private/try')).toMatchObject({
      delivered: false,
      status: null,
      problem: 'the address is not public',
      answer: '',
    });
  });
});
