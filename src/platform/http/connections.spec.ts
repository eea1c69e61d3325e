import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { boundConnections, type ConnectionBounds } from './connections.js';

let server: Server;
let sockets: Socket[];
let closedAtOnce: number;
beforeEach(() => {
  sockets = [];
  closedAtOnce = 0;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

async function listen(bounds: ConnectionBounds): Promise<void> {
  server = createServer((socket) => void socket.on('error', () => undefined).write('hello'));
  // Bounds must be checked before the listener that greets.
  server.removeAllListeners('connection');
  boundConnections(server, bounds, () => (closedAtOnce += 1));
  server.on('connection', (socket) => void (socket.destroyed || socket.write('hello')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** Whether the server greets, or closes. */
async function isTaken(): Promise<boolean> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  const [taken] = await Promise.race([
    once(socket, 'data').then(() => [true]),
    once(socket, 'close').then(() => [false]),
  ]);
  return taken!;
}

it.each<[string, ConnectionBounds]>([
  ['of all clients', { all: 2, anAddress: 10 }],
  ['of one address', { all: 10, anAddress: 2 }],
])('closes what is beyond the bound %s, and takes others when some have left', async (_whose, bounds) => {
  await listen(bounds);
  expect([await isTaken(), await isTaken(), await isTaken()]).toEqual([true, true, false]);
  expect(closedAtOnce).toBe(1);
  sockets[0]!.destroy();
  for (;;) if (await isTaken()) break;
});
