import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../fault/linearizability/node.js';
import { createReleases, type NodeName, type Releases } from '../../fault/releases.js';
import { createTestDatabase, type TestDatabase } from '../../support/services.js';
import { findTool } from '../../support/tools.js';

const haproxy = findTool('haproxy');
const CONFIGURATION = resolve('docker/proxy/haproxy.cfg');
const POLL_MS = 50;
const START_TIMEOUT_MS = 120_000;

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}

/** An authority, and a certificate of it for the names of compose.ha.yml. */
function makeCertificates(directory: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=spec authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=node',
    '-addext',
    'subjectAltName=DNS:rescind-a,DNS:rescind-b,DNS:rescind.example',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-keyout',
    'node.key',
    '-out',
    'node.crt',
  );
}

(haproxy === undefined ? describe.skip : describe)(
  'the proxy of compose.ha.yml, in front of two nodes with TLS',
  () => {
    let database: TestDatabase;
    let directory: string;
    let releases: Releases;
    let proxy: ChildProcess;
    let port: number;
    let healthPort: number;
    let ca: Buffer;
    let adminKey: string;
    let introspector: string;
    const nodePorts = new Map<NodeName, number>();

    beforeAll(async () => {
      database = await createTestDatabase();
      directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-proxy-`));
      makeCertificates(directory);
      const file = (name: string): string => join(directory, name);
      ca = await readFile(file('ca.crt'));
      await writeFile(
        file('proxy.pem'),
        Buffer.concat([await readFile(file('node.crt')), await readFile(file('node.key'))]),
        { mode: 0o600 },
      );
      releases = await createReleases(database.url, {
        HOST: '0.0.0.0',
        TRUSTED_PROXY: 'true',
        TLS_CERT: file('node.crt'),
        TLS_KEY: file('node.key'),
      });
      expect((await releases.command('this', 'migrate')).code).toBe(0);
      for (const node of ['a', 'b'] as const) {
        await releases.start(node, 'this');
        nodePorts.set(node, Number(new URL(releases.url(node)).port));
      }
      adminKey = await releases.adminKey('a');
      [port, healthPort] = [await freePort(), await freePort()];
      const env = {
        PROXY_BIND: `127.0.0.1:${port}`,
        PROXY_HEALTH_BIND: `127.0.0.1:${healthPort}`,
        PROXY_CERTIFICATE: file('proxy.pem'),
        PROXY_CA: file('ca.crt'),
        NODE_A: `127.0.0.1:${nodePorts.get('a')}`,
        NODE_B: `127.0.0.1:${nodePorts.get('b')}`,
      };
      proxy = spawn(haproxy!, ['-db', '-f', CONFIGURATION], { env, stdio: 'ignore' });
      await until(async () => (await isHealthy()) && (await ask('/v1/sources')).status === 200);
      const source = {
        name: 'chat',
        uri: 'https://login.chat.example',
        types: ['token.issued'],
        issuers: ['https://login.chat.example'],
        resources: ['https://api.chat.example'],
      };
      await ask('/v1/sources', {
        method: 'POST',
        body: JSON.stringify(source),
        headers: { 'content-type': 'application/json' },
      });
      const roles = {
        introspect: { resources: ['https://api.chat.example'], issuers: ['https://login.chat.example'] },
      };
      const created = await ask('/v1/callers', {
        method: 'POST',
        body: JSON.stringify({ id: 'chat-api', roles }),
        headers: { 'content-type': 'application/json' },
      });
      introspector = /"(rsk_[A-Za-z0-9_-]+)"/.exec(created.body)![1]!;
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      proxy?.kill('SIGTERM');
      await releases?.end();
      await database?.drop();
      await rm(directory, { recursive: true, force: true });
    });

    const isHealthy = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${healthPort}/health`).catch(() => undefined))?.status === 200;

    async function ask(
      path: string,
      {
        method = 'GET',
        body = '',
        headers = {},
      }: { method?: string; body?: string; headers?: Record<string, string> } = {},
    ): Promise<{ status: number; body: string }> {
      const sent = request({
        host: '127.0.0.1',
        port,
        path,
        method,
        ca,
        servername: 'rescind.example',
        agent: false,
        headers: { authorization: `Bearer ${adminKey}`, ...headers },
      });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode!, body: await text(response) };
    }
    const introspect = () =>
      ask('/introspect', {
        method: 'POST',
        body: 'token=unknown',
        headers: { authorization: `Bearer ${introspector}`, 'content-type': 'application/x-www-form-urlencoded' },
      });
    const health = (node: NodeName, name: string) =>
      releases.command(
        'this',
        'health',
        'serve',
        '--url',
        `https://127.0.0.1:${nodePorts.get(node)}`,
        '--ca',
        join(directory, 'ca.crt'),
        '--server-name',
        name,
      );

    it('the health check of a node uses TLS and checks the name', async () => {
      expect((await health('a', 'rescind-a')).code).toBe(0);
      expect((await health('a', 'another.example')).code).toBe(1);
    });

    it('the proxy ends TLS, serves the nodes’ endpoints, and hides those for operators', async () => {
      expect(await introspect()).toEqual({ status: 200, body: '{"active":false}' });
      for (const path of ['/metrics', '/health/ready', '/health/ready/serve', '/health/live'])
        expect((await ask(path)).status).toBe(404);
    });

    it('the proxy goes on without a refusal when one node is killed, and says so when none is left', async () => {
      const statuses = new Map<number, number>();
      const enoughAsked = new AbortController();
      let asked = 0;
      const traffic = (async () => {
        while (!enoughAsked.signal.aborted) {
          const { status } = await introspect();
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          asked += 1;
        }
      })();
      const someMore = async (): Promise<void> => {
        const enough = asked + 20;
        await until(async () => asked >= enough);
      };
      await someMore();
      await releases.kill('b');
      await someMore();
      await until(async () => (await ask('/v1/sources')).status === 200);
      await someMore();
      enoughAsked.abort();
      await traffic;
      expect([...statuses.keys()]).toEqual([200]);

      await releases.stop('a');
      await until(async () => !(await isHealthy()));
      expect((await introspect()).status).toBe(503);
    });

    it('HAProxy accepts the configuration without a warning', async () => {
      const env = {
        PROXY_CERTIFICATE: join(directory, 'proxy.pem'),
        PROXY_CA: join(directory, 'ca.crt'),
        NODE_A: '127.0.0.1:1',
        NODE_B: '127.0.0.1:2',
      };
      const { stdout, stderr } = await promisify(execFile)(haproxy!, ['-c', '-f', CONFIGURATION], { env });
      expect(stdout + stderr).toMatch(/^Configuration file is valid\s*$/);
    });
  },
);
