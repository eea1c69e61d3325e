import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runDemo, type DemoFile } from '../../src/sandbox/index.js';
import { startService, type RunningRescind } from './rescind-fixture.js';

// The demo is the whole main job with a check after every step: it is run here as `rescind demo --once` runs it.

const shell = promisify(execFile);
/** Time limit. The duration is not promised: on a busy machine it is minutes. */
const DEMO_MS = 600_000;

describe.each(['kafka', 'no kafka'] as const)('the demo, with %s', (kafka) => {
  let service: RunningRescind;
  let status: number;
  let told = '';

  beforeAll(async () => {
    service = await startService(kafka);
    const { url, adminKey, brokers, home, log } = service;
    status = await runDemo({
      rescindUrl: url,
      adminKey,
      brokers,
      home,
      once: true,
      log,
      out: { write: (text) => void (told += text) },
      stopRequested: new Promise(() => undefined),
    });
  }, DEMO_MS);
  afterAll(() => service.stop());

  const introspect = async (file: DemoFile, token: string, caller = 'crm'): Promise<unknown> => {
    const { id, secret } = file.callers[caller]!;
    const response = await fetch(file.urls.introspect, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ token }),
    });
    expect(response.status).toBe(200);
    return response.json();
  };
  const readDemoFile = async (): Promise<DemoFile> =>
    JSON.parse(await readFile(join(service.home, 'demo.json'), 'utf8')) as DemoFile;

  it('passes all its checks', () => {
    expect(told).toContain('checks passed');
    expect(told).toContain('✓ the tree of the checkpoint holds the entry: ');
    expect(status).toBe(0);
  });

  it('writes a file for scripts, readable by its owner alone, with a live and a revoked token', async () => {
    expect((await stat(join(service.home, 'demo.json'))).mode & 0o777).toBe(0o600);
    const file = await readDemoFile();
    expect(await introspect(file, file.tokens.live)).toMatchObject({
      active: true,
      client_id: 'wiki-at-crm',
      sub: 'crm-1001',
    });
    expect(await introspect(file, file.tokens.revoked)).toEqual({ active: false });
    expect(await introspect(file, file.tokens.agent, 'files')).toMatchObject({
      active: true,
      client_id: 'atlas-at-files',
    });
  });

  it('prints no secret and no token, and no colours without a terminal', async () => {
    const { callers, tokens } = await readDemoFile();
    for (const { secret } of Object.values(callers)) expect(told).not.toContain(secret);
    for (const token of Object.values(tokens)) expect(told).not.toContain(token);
    expect(told).not.toContain(service.adminKey);
    expect(told).not.toContain('\u001b');
  });

  it(
    'prints commands of `rescind` to try next that answer',
    async () => {
      const lines = told.split('\n').map((line) => line.trim());
      const functions = lines.filter((line) => /^(?:demo|rescind)\(\) /.test(line));
      const commands = lines.filter((line) => /^rescind (?:ask|explore|findings)\b/.test(line));
      expect([functions.length, commands.length]).toEqual([2, 5]);
      for (const command of commands)
        expect((await shell('sh', ['-c', [...functions, command].join('\n')])).stdout).toContain('atlas');
    },
    DEMO_MS,
  );

  it(
    'shows the finding about the export with a command that orders its rule',
    async () => {
      const lines = told.split('\n').map((line) => line.trim());
      const functions = lines.filter((line) => /^(?:demo|rescind)\(\) /.test(line));
      const command = lines.filter((line) => line.startsWith('rescind revoke '));
      expect(told).toMatch(/ read 600\d records of .*\n.*\n.*✓ found \S+ s after the export/);
      expect(command).toEqual([expect.stringMatching(/"sub":"alice".*"client_id":"atlas-at-crm".*--reason 'finding /)]);
      expect((await shell('sh', ['-c', [...functions, ...command].join('\n')])).stdout).toContain('In force after');
    },
    DEMO_MS,
  );

  it(
    'can be told twice in one deployment',
    async () => {
      const { url, adminKey, brokers, home, log } = service;
      const again = await runDemo({
        rescindUrl: url,
        adminKey,
        brokers,
        home,
        once: true,
        log,
        out: { write: () => undefined },
        stopRequested: Promise.resolve(),
      });
      expect(again).toBe(0);
      expect((await readDemoFile()).sources['idp']?.name).toBe('idp-2');
    },
    DEMO_MS,
  );
});
