import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createStreams } from './streams.js';

const server = createServer();
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close());

it('a stream whose client left before it was added counts for nobody, and holds up no stop', async () => {
  const ended: string[] = [];
  const streams = createStreams({
    bounds: { maxStreams: 1, maxStreamsACaller: 1, maxStreamsATenant: 1, maxWaitingBytes: 1_000 },
    onEnded: (_, reason) => ended.push(reason),
  });
  const asked = once(server, 'request');
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: '127.0.0.1' }).on('error', () => undefined);
  client.end();
  const [, res] = (await asked) as [unknown, ServerResponse];
  const closed = once(res, 'close');
  client.destroy();
  await closed;
  streams.add({ res, tenant: 't', caller: 'c', mayRead: () => true }, 'hello');
  expect([streams.count, streams.hasRoomFor('c', 't'), ended]).toEqual([0, true, ['closed']]);
  await streams.endAll();
});
