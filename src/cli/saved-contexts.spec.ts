import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contextsPath, readContexts, writeContexts } from './saved-contexts.js';
import { findUrl, readSettings } from './settings.js';

const PROD = { url: 'https://rescind.example', key: 'rsk_prod' };
const LAB = { url: 'http://127.0.0.1:4711', key: 'rsk_lab' };

describe('saved contexts', () => {
  let home: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'rescind-cli-'));
    env = { HOME: home };
  });
  afterEach(() => rm(home, { recursive: true }));
  const save = (current?: string): Promise<void> => writeContexts(env, { current, contexts: { prod: PROD, lab: LAB } });

  it('lie where the environment says, and only their owner can read them', async () => {
    expect(await readContexts(env)).toEqual({ current: undefined, contexts: {} });
    await save('prod');
    const path = join(home, '.config', 'rescind', 'contexts.json');
    expect(contextsPath(env)).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, '.config', 'rescind'))).mode & 0o777).toBe(0o700);
    expect(await readContexts(env)).toEqual({ current: 'prod', contexts: { prod: PROD, lab: LAB } });
    expect(await readdir(join(home, '.config', 'rescind'))).toEqual(['contexts.json']);
    expect(contextsPath({ ...env, XDG_CONFIG_HOME: '/elsewhere' })).toBe('/elsewhere/rescind/contexts.json');
  });

  it.each([0o640, 0o604, 0o620, 0o666])('are refused if others have rights: %o', async (mode) => {
    await save('prod');
    await chmod(contextsPath(env), mode);
    for (const read of [
      () => readContexts(env),
      () => readSettings(env, {}),
      () => findUrl(env, {}),
      () => readSettings(env, { context: 'lab' }),
    ])
      await expect(read()).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining('chmod 600') });
  });

  it.each([
    '{',
    'null',
    '{}',
    '{"contexts":{"prod":null}}',
    '{"contexts":{"prod":{"url":"https://rescind.example"}}}',
    '{"contexts":{"Prod":{"url":"https://rescind.example","key":"rsk_x"}}}',
    '{"contexts":{"prod":{"url":"https://rescind.example","key":""}}}',
    '{"current":"lab","contexts":{}}',
  ])('are refused if they are damaged: %s', async (text) => {
    await mkdir(join(home, '.config', 'rescind'), { recursive: true });
    await writeFile(contextsPath(env), text, { mode: 0o600 });
    await expect(readSettings(env, {})).rejects.toThrow('is damaged');
  });

  it('give a key to their own URL and to no other', async () => {
    await save('prod');
    expect(await readSettings(env, {})).toEqual(PROD);
    expect(await readSettings(env, { context: 'lab' })).toEqual(LAB);
    expect(await readSettings({ ...env, RESCIND_CONTEXT: 'lab' }, {})).toEqual(LAB);
    expect(await readSettings({ ...env, RESCIND_CONTEXT: 'lab' }, { context: 'prod' })).toEqual(PROD);
    // An option stands above the environment, which may hold another service's key.
    expect(
      await readSettings(
        { ...env, RESCIND_URL: 'https://other.example', RESCIND_KEY: 'rsk_other' },
        { context: 'lab' },
      ),
    ).toEqual(LAB);
    for (const more of [{}, { RESCIND_CONTEXT: 'lab' }])
      await expect(readSettings({ ...env, ...more }, { url: 'https://other.example' })).rejects.toThrow('RESCIND_KEY');
  });

  it.each([
    [{ url: 'https://other.example', context: 'lab' }, {}, '--url or --context'],
    [{}, { RESCIND_CONTEXT: 'lab', RESCIND_URL: 'https://other.example' }, 'RESCIND_CONTEXT and RESCIND_URL'],
    [{}, { RESCIND_CONTEXT: 'lab', RESCIND_KEY: 'rsk_other' }, 'RESCIND_CONTEXT and RESCIND_KEY'],
    [{ context: 'staging' }, {}, 'no context `staging`'],
    [{ context: 'constructor' }, {}, 'there are prod, lab'],
    [{}, { RESCIND_CONTEXT: '../prod' }, 'no context'],
  ])('are refused with %j and %j', async (service, more, message) => {
    await save('prod');
    for (const read of [readSettings, findUrl])
      await expect(read({ ...env, ...more }, service)).rejects.toMatchObject({
        name: 'UsageError',
        message: expect.stringContaining(message),
      });
  });

  it.each([
    { RESCIND_URL: 'https://other.example', RESCIND_KEY: 'rsk_other' },
    { RESCIND_KEY: 'rsk_other' },
    { RESCIND_HOME: '/nowhere' },
  ])('leave the choice to %j, and then are not read', async (more) => {
    await save('prod');
    await chmod(contextsPath(env), 0o666);
    const settings = await readSettings({ ...env, ...more }, {}).catch((error: Error) => error.message);
    expect(JSON.stringify(settings)).not.toContain('rsk_prod');
    expect(JSON.stringify(settings)).not.toContain('chmod');
  });

  it('never send a key in the clear', async () => {
    await writeContexts(env, { current: undefined, contexts: { far: { ...PROD, url: 'http://rescind.example' } } });
    await expect(readSettings(env, { context: 'far' })).rejects.toThrow('use https');
    expect(await readFile(contextsPath(env), 'utf8')).toContain('rsk_prod');
  });
});
