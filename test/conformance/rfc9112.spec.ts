import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hold } from '../support/hold.js';
import * as parties from './parties.js';
import { startConformanceService, type ConformanceService } from './service.js';
import { digestOf } from './signing.js';

let service: ConformanceService;
beforeAll(async () => {
  service = await startConformanceService();
});
afterAll(() => service.stop());

const WAIT_MS = 30_000;

async function issueOpaque(): Promise<string> {
  const text = `at_${randomUUID()}`;
  await service.emit(
    'chat',
    'token.issued',
    parties.tokenFacts(Math.floor(Date.now() / 1000), { sha256: digestOf(text) }),
  );
  return text;
}

const open = (): Socket => connect(Number(new URL(service.url).port), '127.0.0.1');

function request(method: string, path: string, headers: Readonly<Record<string, string>>, body = ''): string {
  const lines = Object.entries({ host: 'rescind.example', ...headers, 'content-length': String(body.length) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
const FORM = 'application/x-www-form-urlencoded';
const introspection = (token: string): string =>
  request('POST', '/introspect', { authorization: service.basic('chat-api'), 'content-type': FORM }, `token=${token}`);
const revocation = (token: string): string =>
  request('POST', '/revoke', { authorization: service.basic('chat-login'), 'content-type': FORM }, `token=${token}`);

/** Reads answers with a Content-Length; what an answer says is its status, and `active` or `inactive` of an introspection. */
async function answersOn(socket: Socket, count: number): Promise<readonly string[]> {
  let rest = '';
  const told: string[] = [];
  for await (const chunk of socket) {
    rest += String(chunk);
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
      const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))![1]);
      if (rest.length < end + 4 + length) break;
      const body = rest.slice(end + 4, end + 4 + length);
      told.push(
        body.startsWith('{"active":') ? (body.startsWith('{"active":true') ? 'active' : 'inactive') : rest.slice(9, 12),
      );
      rest = rest.slice(end + 4 + length);
    }
    if (told.length >= count) break;
  }
  socket.destroy();
  return told;
}

async function waitForLock(): Promise<void> {
  const until = performance.now() + WAIT_MS;
  while ((await service.database.pool.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount === 0) {
    if (performance.now() > until) throw new Error('nobody waits for the lock');
    await delay(10);
  }
}

describe('RFC 9112, 9.3.2: pipelined requests', () => {
  it('are served one after the other: no answer that follows a revocation’s answer was decided before it', async () => {
    const token = await issueOpaque();
    const socket = open();
    const many = (count: number): string => introspection(token).repeat(count);
    socket.write(many(5) + revocation(token) + many(6));
    expect(await answersOn(socket, 12)).toEqual([...Array(5).fill('active'), '200', ...Array(6).fill('inactive')]);
  });

  it('are decided after the slow question before them has been answered', async () => {
    const token = await issueOpaque();
    const letGo = await hold(service.database.pool, 'LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE');
    try {
      const socket = open();
      const slow = request('GET', '/v1/quarantine', { authorization: `Bearer ${service.adminKey}` });
      socket.write(slow + introspection(token));
      await waitForLock();
      const answer = await service.post('/revoke', `token=${token}`, { authorization: service.basic('chat-login') });
      expect(answer.status).toBe(200);
      await letGo();
      expect(await answersOn(socket, 2)).toEqual(['200', 'inactive']);
    } finally {
      await letGo();
    }
  });
});
