import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig, type ListenConfig } from '../../../src/platform/config/index.js';
import { createHttpApp, listenHttp } from '../../../src/platform/http/index.js';
import { testLog } from '../../support/services.js';

@Controller()
class SampleController {
  @Get('hello')
  hello(): string {
    return 'hello';
  }
}

@Module({ controllers: [SampleController] })
class SampleModule {
  readonly name = 'sample';
}

describe('a listener with TLS', () => {
  let directory: string;
  let listen: ListenConfig;
  let app: NestFastifyApplication;
  let url: string;
  let ca: Buffer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    const self = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
    ];
    execFileSync('openssl', [...self, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
    ca = await readFile(certFile);
    ({ listen } = readConfig({ HOST: '0.0.0.0', PORT: '0', TLS_CERT: certFile, TLS_KEY: keyFile }));
    app = await createHttpApp({
      module: SampleModule,
      listen,
      hot: new Map([['/hot', (_req, res) => void res.end('hot')]]),
      log: testLog(),
    });
    url = (await listenHttp(app, listen)).replace('0.0.0.0', 'localhost');
  });
  afterAll(async () => {
    await app.close();
    await rm(directory, { recursive: true, force: true });
  });

  const ask = (path: string, options: RequestOptions = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      get(url + path, { ca, ...options }, (response) => void text(response).then(resolve, reject)).once(
        'error',
        reject,
      );
    });

  it('serves the framework and the hot paths, and says https', async () => {
    expect(url).toMatch(/^https:\/\/localhost:\d+$/);
    expect(await Promise.all([ask('/hello'), ask('/hot')])).toEqual(['hello', 'hot']);
  });

  it('is not trusted without its authority', async () => {
    await expect(ask('/hello', { ca: [] })).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('refuses broken versions of TLS, and plaintext', async () => {
    // The client would rather not either: its own floor is lowered to see the server's.
    await expect(
      ask('/hello', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/protocol version|EPROTO|alert/i);
    await expect(fetch(url.replace('https', 'http'))).rejects.toThrow();
    expect(await ask('/hello', { maxVersion: 'TLSv1.2' })).toBe('hello');
  });

  it('names the file that cannot be read', async () => {
    const tls = { ...listen.tls!, keyFile: join(directory, 'nowhere.key') };
    await expect(
      createHttpApp({ module: SampleModule, listen: { ...listen, tls }, log: testLog() }),
    ).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('TLS_KEY'),
    });
  });
});
