import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../platform/index.js';
import { ADMIN_KEY_FILE as REGISTRY_KEY_FILE } from '../registry/index.js';
import { ADMIN_KEY_FILE, DEFAULT_HOME, DEFAULT_URL, readSettings } from './settings.js';

describe('the settings of a command', () => {
  it("default to the service's own defaults", () => {
    const { home, listen } = readConfig({});
    expect(DEFAULT_URL).toBe(`http://${listen.host}:${listen.port}`);
    expect(DEFAULT_HOME).toBe(home);
    expect(ADMIN_KEY_FILE).toBe(REGISTRY_KEY_FILE);
  });

  it('take the key from the environment, else from the home of the service', async () => {
    const home = await mkdtemp(join(tmpdir(), 'rescind-cli-'));
    await expect(readSettings({ RESCIND_HOME: home }, undefined)).rejects.toThrow('set RESCIND_KEY');
    await writeFile(join(home, ADMIN_KEY_FILE), 'rsk_file\n');
    expect(await readSettings({ RESCIND_HOME: home }, undefined)).toEqual({ url: DEFAULT_URL, key: 'rsk_file' });
    expect(await readSettings({ RESCIND_HOME: home, RESCIND_KEY: 'rsk_env', RESCIND_URL: 'https://r.example/' }, undefined)).toEqual({
      url: 'https://r.example',
      key: 'rsk_env',
    });
    await rm(home, { recursive: true });
  });

  it.each(['http://rescind.example', 'ftp://localhost', 'rescind.example'])('refuse to send a key to %s', async (url) => {
    await expect(readSettings({ RESCIND_KEY: 'rsk_env' }, url)).rejects.toMatchObject({ name: 'UsageError' });
  });
});
