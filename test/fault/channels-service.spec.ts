import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { buildEvent } from '../../src/emit/index.js';
import { startReceiver, until, type Arrived } from '../integration/channels/receiver.js';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';
import { createReleases, type NodeName, type Releases } from './releases.js';

const TEST_TIMEOUT_MS = 120_000;
const RAS = 'https://login.chat.example';
const API = 'https://api.chat.example';
const IDP = 'https://idp.acme.example';
const FINDINGS = 40;
/** Messages that the receiver takes before it keeps the next ones waiting. */
const TAKEN_FIRST = 10;
/** Advisory lock of the process that delivers. */
const CHANNELS_LOCK = 7430;

let database: TestDatabase;
let releases: Releases;
let key: string;
let emitterKey: string;
/** The node that is asked. */
let node: NodeName = 'a';

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  releases = await createReleases(database.url, { CHANNEL_ALLOWED_HOSTS: '127.0.0.1' });
  cleanups.push(() => releases.end());
  expect((await releases.command('this', 'migrate')).code).toBe(0);
  await releases.start('a', 'this');
  key = await releases.adminKey('a');
  const types = ['token.issued', 'access.allowed'];
  await call('POST', '/v1/sources', { name: 'chat', uri: RAS, types, issuers: [RAS, IDP], resources: [API] });
  const { secret } = await call('POST', '/v1/callers', { id: 'emitter', roles: { emit: { sources: ['chat'] } } });
  emitterKey = secret;
  await until('a process delivers', isDelivering);
}, TEST_TIMEOUT_MS);

async function call(method: string, path: string, body?: object, mediaType = 'application/json'): Promise<any> {
  const authorization = `Bearer ${mediaType === CLOUDEVENTS_BATCH_MEDIA_TYPE ? emitterKey : key}`;
  const response = await fetch(releases.url(node) + path, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': mediaType }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}
/** Posts events; resolves with the result of each. */
const emit = (events: readonly object[]): Promise<readonly { readonly state?: string; readonly index?: string }[]> =>
  call('POST', '/events', events, CLOUDEVENTS_BATCH_MEDIA_TYPE);
const isDelivering = async (): Promise<boolean> =>
  (
    await database.pool.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [CHANNELS_LOCK],
    )
  ).rowCount === 1;
const deliveries = async (channel: string): Promise<readonly any[]> =>
  (await call('GET', `/v1/channels/${channel}/deliveries?limit=100`)).items;

/** A token of an agent that is used from two networks, which makes a finding about the user. */
function stolen(user: string): readonly object[] {
  const iat = Math.floor(Date.now() / 1_000);
  const jti = randomUUID();
  const agent = { id: 'agent-7', type: 'assistant' };
  const used = (client_address: string) =>
    buildEvent('access.allowed', {
      source: RAS,
      data: { token: { iss: RAS, jti }, operation: 'read', route: 'GET /things', status: 200, client_address },
    });
  return [
    buildEvent('token.issued', {
      source: RAS,
      data: {
        kind: 'access',
        iss: RAS,
        jti,
        client_id: 'bot-at-chat',
        aud: [API],
        scope: 'read',
        iat,
        exp: iat + 900,
        id_jag: { iss: IDP, jti: `jag-of-${jti}`, sub: user, agent },
      },
    }),
    used('192.0.2.7'),
    used('203.0.113.66'),
  ];
}

const idOf = ({ headers }: Arrived): string => String(headers['webhook-id']);

describe('a process that is killed in the middle of deliveries', () => {
  it(
    'loses none: another process makes those that were under way again under the same id, and the rest',
    async () => {
      let letGo = (): void => undefined;
      const gone = new Promise<void>((resolve) => (letGo = resolve));
      const receiver = await startReceiver({
        answer: async (_, nth) => {
          if (nth > TAKEN_FIRST) await gone;
          return { status: 200 };
        },
      });
      cleanups.push(() => receiver.stop());
      const kinds = ['token-from-two-networks'];
      await call('PUT', '/v1/channels/all', { kind: 'webhook', address: receiver.url, kinds });
      const users = Array.from({ length: FINDINGS }, (_, nth) => `user-${nth}`);
      await emit(users.flatMap(stolen));
      await until('deliveries of all findings', async () => (await deliveries('all')).length === FINDINGS);
      await until('messages under way', () => receiver.arrived.length > TAKEN_FIRST);
      const underWay = receiver.arrived.slice(TAKEN_FIRST).map(idOf);
      await releases.start('b', 'this');
      await releases.kill('a');
      node = 'b';
      letGo();
      const all = await until('all deliveries', async () => {
        const made = await deliveries('all');
        return made.every(({ state }) => state === 'delivered') && made;
      });
      const ids = receiver.arrived.map(idOf);
      const arrived = new Set(receiver.arrived.map((one) => `${idOf(one)} ${one.body.data.id}`));
      expect([...arrived].sort()).toEqual(all.map(({ id, finding }) => `${id} ${finding}`).sort());
      expect(new Set(receiver.arrived.map(({ body }) => body.data.user.sub))).toEqual(new Set(users));
      expect(underWay.map((id) => ids.filter((one) => one === id).length)).toEqual(underWay.map(() => 2));
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a receiver that hangs', () => {
  it(
    'keeps no event from being stored: each post during the whole wait for its answer is taken',
    async () => {
      const connections: Socket[] = [];
      const server = createServer((connection) => {
        connection.on('error', () => undefined);
        connection.once('data', () => connections.push(connection));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanups.push(() => {
        for (const connection of connections) connection.destroy();
        return new Promise((resolve) => server.close(resolve));
      });
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
      await call('PUT', '/v1/channels/hanging', { kind: 'webhook', address });
      await emit(stolen('somebody-else'));
      const hanging = await until('a message without an answer', () => connections[0]);
      const results: Awaited<ReturnType<typeof emit>>[number][] = [];
      let sent = 0;
      let takenMeanwhile = 0;
      while (!hanging.closed) {
        const events = stolen(`next-${sent}`);
        sent += events.length;
        results.push(...(await emit(events)));
        if (!hanging.closed) takenMeanwhile = results.length;
      }
      expect(takenMeanwhile).toBeGreaterThan(0);
      expect(new Set(results.map(({ state }) => state))).toEqual(new Set(['sequenced']));
      expect(new Set(results.map(({ index }) => index)).size).toBe(sent);
    },
    TEST_TIMEOUT_MS,
  );
});
