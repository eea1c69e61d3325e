import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Metrics, createHealth, createMetrics } from '../observe/index.js';
import type { ListeningServer } from './listen-on.js';
import { ANSWER_EVERY_MS, createManagement, listenManagement } from './management.js';

let server: ListeningServer;
let made: number;
beforeEach(async () => {
  made = 0;
  const metrics: Metrics = createMetrics();
  const text = async (): Promise<string> => {
    made += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return metrics.text();
  };
  server = await listenManagement(
    { host: '127.0.0.1', port: 0 },
    createManagement({ health: createHealth(), metrics: { ...metrics, text } }),
  );
});
afterEach(() => server.close());

it('makes the text of /metrics once for all who ask at the same time, and again later', async () => {
  const ask = (): Promise<number> => fetch(`${server.url}/metrics`).then(({ status }) => status);
  expect(new Set(await Promise.all(Array.from({ length: 50 }, ask)))).toEqual(new Set([200]));
  expect(made).toBeLessThan(10);
  const before = made;
  for (;;) {
    await ask();
    if (made > before) break;
  }
});

it('answers GET and HEAD of its paths, and nothing else', async () => {
  const ask = (method: string, path: string): Promise<number> =>
    fetch(server.url + path, { method }).then(({ status }) => status);
  expect(await ask('HEAD', '/health/live')).toBe(200);
  expect(await ask('POST', '/health/live')).toBe(405);
  expect(await ask('GET', '/introspect')).toBe(404);
});

it('answers one connection only so often, and cuts off who does not wait', async () => {
  const request = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write(request + request);
  await once(socket, 'data');
  const startedAt = performance.now();
  await once(socket, 'data');
  // 0.8: timers are inexact.
  expect(performance.now() - startedAt).toBeGreaterThan(ANSWER_EVERY_MS * 0.8);
  socket.write(request.repeat(100));
  await once(socket, 'close');
});
