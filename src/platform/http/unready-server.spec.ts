import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { createHealth, createMetrics } from '../observe/index.js';
import type { ListeningServer } from './listen-on.js';
import { listenUnready } from './unready-server.js';

let server: ListeningServer;
beforeEach(async () => {
  const listen = { host: '127.0.0.1', port: 0, tls: undefined, trustedProxy: false };
  server = await listenUnready({
    listen,
    health: createHealth(),
    metrics: createMetrics(),
    reason: () => new RescindError('kafka-unavailable'),
  });
});
afterEach(() => server.close());

it.each([
  ['POST', '/introspect', 503],
  ['GET', '/v1/graph', 503],
  ['GET', '/health/ready', 503],
  ['GET', '/health/ready/ingest', 503],
  ['GET', '/health/live', 200],
  ['GET', '/metrics', 200],
])('answers %s %s whole, with %i', async (method, path, status) => {
  const response = await fetch(server.url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(Number(response.headers.get('content-length'))).toBe((await response.arrayBuffer()).byteLength);
});

it('tells a browser in a page, which loads nothing and asks again', async () => {
  const response = await fetch(`${server.url}/console/`, { headers: { accept: 'text/html,*/*;q=0.8' } });
  const text = await response.text();
  expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
  const policy = response.headers.get('content-security-policy');
  expect(policy).toMatch(/^default-src 'none';/);
  const [, style] = /<style>([^<]*)<\/style>/.exec(text)!;
  expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style!).digest('base64')}';`);
  expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(text));
  expect(text).toContain('(<code>kafka-unavailable</code>)');
  expect(text).toContain('<meta http-equiv="refresh"');
});

it('refuses with what keeps the service from beginning, and says that it may be tried again', async () => {
  const response = await fetch(`${server.url}/introspect`, { method: 'POST', body: 'token=x' });
  expect(await response.json()).toMatchObject({ code: 'kafka-unavailable', status: 503 });
  expect(response.headers.get('retry-after')).toBe('1');
});
