import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConfig } from '../platform/config/index.js';
import { createLog } from '../platform/log/index.js';
import { announceInstance, INSTANCE_FILE as PLATFORM_INSTANCE_FILE } from '../platform/process/index.js';
import { ADMIN_KEY_FILE as REGISTRY_KEY_FILE } from '../registry/index.js';
import { INSTANCE_FILE, startOf } from './instance.js';
import { ADMIN_KEY_FILE, DEFAULT_HOME, DEFAULT_URL, DEMO_DIRECTORY, findUrl, readSettings } from './settings.js';

const HERE = 'http://127.0.0.1:4711';

describe('the settings of a command', () => {
  let home: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'rescind-cli-'));
    env = { RESCIND_HOME: home };
  });
  afterEach(() => rm(home, { recursive: true }));

  const log = createLog({ level: 'silent' });
  const announce = (url = HERE, directory = home): Promise<() => Promise<void>> =>
    announceInstance({ home: directory, url, log });
  const withKey = (): Promise<void> => writeFile(join(home, ADMIN_KEY_FILE), 'rsk_file\n');

  it("default to the service's own defaults", () => {
    const { home: ownHome, listen } = readConfig({});
    expect(DEFAULT_URL).toBe(`http://${listen.host}:${listen.port}`);
    expect(DEFAULT_HOME).toBe(ownHome);
    expect(ADMIN_KEY_FILE).toBe(REGISTRY_KEY_FILE);
    expect(INSTANCE_FILE).toBe(PLATFORM_INSTANCE_FILE);
  });

  it('are the key of a directory and the address of the instance that runs in it, until that ends', async () => {
    await expect(readSettings(env, {})).rejects.toThrow('set RESCIND_KEY');
    await withKey();
    await expect(readSettings(env, {})).rejects.toThrow('no Rescind runs in');
    const ended = await announce();
    expect((await stat(join(home, INSTANCE_FILE))).mode & 0o777).toBe(0o600);
    expect(await readSettings(env, {})).toEqual({ url: HERE, key: 'rsk_file' });
    expect(await findUrl(env, {})).toBe(HERE);
    await ended();
    await expect(readSettings(env, {})).rejects.toThrow('no Rescind runs in');
    await expect(findUrl(env, {})).rejects.toThrow('rescind serve');
  });

  it.each([
    ['http://0.0.0.0:4711', HERE],
    ['https://[::]:4711', 'https://[::1]:4711'],
  ])('connect to an instance that listens at %s by %s', async (url, local) => {
    await withKey();
    await announce(url);
    expect((await readSettings(env, {})).url).toBe(local);
  });

  it('send the key of a directory to the instance in it, also where it is named', async () => {
    await withKey();
    await announce();
    expect(await readSettings(env, { url: `${HERE}/` })).toEqual({ url: HERE, key: 'rsk_file' });
    expect(await readSettings({ ...env, RESCIND_URL: 'http://localhost:4711' }, {})).toEqual({
      url: HERE,
      key: 'rsk_file',
    });
  });

  it.each(['http://127.0.0.1:4712', 'https://127.0.0.1:4711', 'https://rescind.example', `${HERE}/other`])(
    'never send it to %s',
    async (url) => {
      await withKey();
      await expect(readSettings(env, { url })).rejects.toMatchObject({
        name: 'UsageError',
        message: expect.stringContaining('RESCIND_KEY'),
      });
      await announce();
      await expect(readSettings(env, { url })).rejects.toMatchObject({
        name: 'UsageError',
        message: expect.stringContaining(url),
      });
      await expect(readSettings({ ...env, RESCIND_URL: url }, {})).rejects.toThrow(HERE);
    },
  );

  it.each([
    ['another process has the pid by now', { started_at: 'another' }],
    ['nobody has the pid', { pid: 2 ** 22 + 1 }],
    ['nobody knows who wrote it', { started_at: '' }],
    ['it is none', { url: 'nonsense' }],
  ])('believe no file that was left behind: %s', async (_, over) => {
    await withKey();
    await announce();
    const file = join(home, INSTANCE_FILE);
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...over }));
    await expect(readSettings(env, {})).rejects.toThrow('no Rescind runs in');
  });

  it('believe the first process, which an instance in a container is', async () => {
    await withKey();
    await writeFile(join(home, INSTANCE_FILE), JSON.stringify({ url: HERE, pid: 1, started_at: await startOf(1) }));
    expect((await readSettings(env, {})).url).toBe(HERE);
    // The service does not overwrite this file either, because to it the file also names a living instance.
    await announce('http://127.0.0.1:4712');
    expect((await readSettings(env, {})).url).toBe(HERE);
  });

  it('leave the file of another living instance alone', async () => {
    await announce();
    const file = join(home, INSTANCE_FILE);
    const parent = process.ppid;
    await writeFile(file, JSON.stringify({ url: HERE, pid: parent, started_at: await startOf(parent) }));
    const ended = await announce('http://127.0.0.1:4712');
    await ended();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: parent });
  });

  it('take a key of the environment anywhere', async () => {
    const own = { ...env, RESCIND_KEY: 'rsk_env' };
    expect(await readSettings(own, {})).toEqual({ url: DEFAULT_URL, key: 'rsk_env' });
    expect(await readSettings({ ...own, RESCIND_URL: 'https://r.example/' }, {})).toEqual({
      url: 'https://r.example',
      key: 'rsk_env',
    });
    await announce();
    expect(await readSettings(own, {})).toEqual({ url: HERE, key: 'rsk_env' });
  });

  it("say that it is the demo which runs, and never take its key for the service's", async () => {
    await withKey();
    const demo = join(home, DEMO_DIRECTORY);
    await mkdir(demo);
    await announce(HERE, demo);
    await expect(readSettings(env, {})).rejects.toThrow(`set RESCIND_HOME=${demo}`);
  });

  it.each([
    'http://rescind.example',
    'ftp://localhost',
    'rescind.example',
    'https://user:word@rescind.example',
    'https://rescind.example/?key=1',
  ])('refuse to send a key to %s', async (url) => {
    await expect(readSettings({ RESCIND_KEY: 'rsk_env' }, { url })).rejects.toMatchObject({ name: 'UsageError' });
  });
});
