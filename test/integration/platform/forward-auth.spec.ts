import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as parties from '../../conformance/parties.js';
import { startConformanceService, type ConformanceService } from '../../conformance/service.js';
import { digestOf } from '../../conformance/signing.js';
import { freePort } from '../../fault/linearizability/node.js';
import { findTool } from '../../support/tools.js';

const nginx = findTool('nginx');
const CONFIGURATION = resolve('docker/proxy/forward-auth/nginx.conf');
const START_TIMEOUT_MS = 120_000;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** The example with the addresses of this run. Each must be there, or the example has changed. */
function withAddresses(example: string, addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses).reduce((replaced, [written, used]) => {
    if (!replaced.includes(written)) throw new Error(`the example does not name ${written}`);
    return replaced.replaceAll(written, used);
  }, example);
}

(nginx === undefined ? describe.skip : describe)(
  'forward auth with nginx, by the example in docker/proxy/forward-auth',
  () => {
    let service: ConformanceService;
    let app: Server;
    let proxy: ChildProcess;
    let port: number;
    let directory: string;
    let received: {
      readonly method: string | undefined;
      readonly url: string | undefined;
      readonly headers: IncomingHttpHeaders;
    }[] = [];

    beforeAll(async () => {
      service = await startConformanceService();
      app = createServer((req, res) => {
        received.push({ method: req.method, url: req.url, headers: req.headers });
        req.resume().once('end', () => res.end('from the app'));
      });
      await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
      port = await freePort();
      directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-nginx-`));
      // nginx that is started as root works as another user.
      await chmod(directory, 0o755);
      const example = withAddresses(await readFile(CONFIGURATION, 'utf8'), {
        '127.0.0.1:8080': new URL(service.url).host,
        '127.0.0.1:3000': `127.0.0.1:${(app.address() as AddressInfo).port}`,
        '127.0.0.1:8000': `127.0.0.1:${port}`,
        'https://api.chat.example/mcp': parties.API,
      });
      await writeFile(join(directory, 'forward-auth.conf'), example);
      await writeFile(join(directory, 'rescind-key.conf'), `set $rescind_key ${service.secret('chat-api')};\n`);
      const temporary = TEMPORARY.map((name) => `${name}_temp_path ${join(directory, name)};`).join(' ');
      await writeFile(
        join(directory, 'nginx.conf'),
        `daemon off; pid ${join(directory, 'pid')}; worker_processes 1; events {} http { access_log off; ${temporary} include forward-auth.conf; }\n`,
      );
      proxy = spawn(nginx!, ['-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')], {
        stdio: 'ignore',
      });
      while ((await ask({ token: 'none' }).catch(() => undefined)) === undefined) {
        if (proxy.exitCode !== null) throw new Error(`nginx ended with ${proxy.exitCode}`);
        await delay(50);
      }
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      proxy?.kill('SIGTERM');
      app?.close();
      app?.closeAllConnections();
      await service?.stop();
      await rm(directory, { recursive: true, force: true });
    });
    beforeEach(() => {
      received = [];
    });

    interface Sent {
      readonly token?: string;
      readonly method?: string;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: string;
    }
    async function ask({
      token,
      method = 'GET',
      headers = {},
      body = '',
    }: Sent): Promise<{ status: number; challenge: string | undefined; body: string }> {
      const all = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers };
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/messages?resource=x&scope=y',
        method,
        headers: all,
        agent: false,
      });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return {
        status: response.statusCode!,
        challenge: response.headers['www-authenticate'],
        body: await text(response),
      };
    }

    async function issue(over: Parameters<typeof parties.tokenFacts>[1] = {}): Promise<string> {
      const token = `at_${randomUUID()}`;
      await service.emit(
        'chat',
        'token.issued',
        parties.tokenFacts(Math.floor(Date.now() / 1000), { sha256: digestOf(token), scope: 'chat.read', ...over }),
      );
      return token;
    }

    it('the proxy passes a request on with its body and the names of its user and client; the app sees no token', async () => {
      const token = await issue({ scope: 'chat.read chat.write' });
      expect(await ask({ token, method: 'POST', body: 'hello' })).toMatchObject({ status: 200, body: 'from the app' });
      expect(received).toMatchObject([
        {
          method: 'POST',
          url: '/messages?resource=x&scope=y',
          headers: {
            'x-rescind-iss': parties.RAS,
            'x-rescind-client-id': 'wiki-at-chat',
            'x-rescind-scope': 'chat.read chat.write',
            'content-length': '5',
          },
        },
      ]);
      expect(received[0]!.headers['x-rescind-sub']).toBe(parties.tokenFacts(0).sub);
      expect(received[0]!.headers).not.toHaveProperty('authorization');
      expect(received[0]!.headers).not.toHaveProperty('x-rescind-key');
    });

    it('the proxy asks for a token, and refuses an unknown token or too small a scope with the challenge of RFC 6750', async () => {
      expect(await ask({})).toMatchObject({ status: 401, challenge: 'Bearer realm="rescind", scope="chat.read"' });
      expect(await ask({ token: 'unknown' })).toMatchObject({
        status: 401,
        challenge: 'Bearer realm="rescind", error="invalid_token", scope="chat.read"',
      });
      expect(await ask({ token: await issue(), method: 'DELETE' })).toMatchObject({
        status: 403,
        challenge: 'Bearer realm="rescind", error="insufficient_scope", scope="chat.read chat.write"',
      });
      expect(received).toEqual([]);
    });

    it('the proxy refuses a revoked token at the next request', async () => {
      const token = await issue();
      expect((await ask({ token })).status).toBe(200);
      expect(
        (await service.post('/revoke', `token=${token}`, { authorization: service.basic('chat-login') })).status,
      ).toBe(200);
      expect((await ask({ token })).status).toBe(401);
    });

    it('the proxy passes on no header of the client under Rescind’s names', async () => {
      const smuggled = {
        'x-rescind-iss': 'https://evil.example',
        'x-rescind-sub': 'admin',
        'x-rescind-client-id': 'admin',
        'x-rescind-scope': 'admin',
        X_Rescind_Sub: 'admin',
      };
      const demands = {
        'x-rescind-key': 'rsk_mine',
        'x-rescind-resource': 'https://evil.example',
        'x-rescind-require-scope': '',
      };
      const token = await issue({ sub: undefined });
      expect((await ask({ token, headers: { ...smuggled, ...demands } })).status).toBe(200);
      expect(JSON.stringify(received[0]!.headers)).not.toMatch(/admin|evil|rsk_/);
      expect(received[0]!.headers).not.toHaveProperty('x-rescind-sub');
      expect((await ask({ token, method: 'DELETE', headers: demands })).status).toBe(403);
    });

    it('the proxy asks about one of two Authorization headers, and the app sees neither', async () => {
      const token = await issue();
      for (const both of [
        ['none', token],
        [token, 'none'],
      ]) {
        const raw = ['host', 'x', ...both.flatMap((one) => ['authorization', `Bearer ${one}`])];
        const sent = request({ host: '127.0.0.1', port, path: '/', agent: false, headers: raw });
        sent.end();
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        response.resume();
        expect([200, 400, 401]).toContain(response.statusCode);
      }
      expect(received.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    });
  },
);
