import { readdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createControlFollower,
  createControlLog,
  type ControlFollower,
  type ControlLog,
} from '../../../src/control/index.js';
import { ADMIN_KEY_FILE, bootstrap, createAuthenticator } from '../../../src/registry/index.js';
import { testLog, type TestDatabase } from '../../support/services.js';
import { migratedDatabase } from './control-fixture.js';

describe('the first start', () => {
  let database: TestDatabase;
  let home: string;
  let controlLog: ControlLog;
  let follower: ControlFollower;

  beforeEach(async () => {
    database = await migratedDatabase();
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    controlLog = createControlLog({ pool: database.pool });
    follower = createControlFollower({ url: database.url, controlLog, log: testLog(), serves: true });
    await follower.start();
  });
  afterEach(async () => {
    await follower.stop();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });

  const key = async (): Promise<string> => (await readFile(join(home, ADMIN_KEY_FILE), 'utf8')).trim();
  const callerOf = async (): Promise<string | undefined> =>
    createAuthenticator({ state: () => follower.state })({ authorization: `Bearer ${await key()}`, remoteAddress: '' })
      .caller?.id;

  it('makes the tenant, its administrator and a key that only its owner can read, once', async () => {
    expect(await bootstrap({ home, controlLog, follower })).toEqual({
      created: true,
      path: join(home, ADMIN_KEY_FILE),
    });
    expect(follower.state.tenantByName('default')).toBeDefined();
    expect(await callerOf()).toBe('admin');
    expect((await stat(join(home, ADMIN_KEY_FILE))).mode & 0o777).toBe(0o600);
    const head = follower.state.head;
    expect((await bootstrap({ home, controlLog, follower })).created).toBe(false);
    expect(follower.state.head).toBe(head);
    expect(await readdir(home)).toEqual([ADMIN_KEY_FILE]);
  });

  it('registers the key that a crash left behind', async () => {
    const crashing: ControlLog = {
      ...controlLog,
      append: (command) =>
        command.records.some(({ kind }) => kind === 'caller.changed')
          ? Promise.reject(new Error('killed'))
          : controlLog.append(command),
    };
    await expect(bootstrap({ home, controlLog: crashing, follower })).rejects.toThrow('killed');
    const left = await key();
    expect(await callerOf()).toBeUndefined();
    expect((await bootstrap({ home, controlLog, follower })).created).toBe(true);
    expect(await key()).toBe(left);
    expect(await callerOf()).toBe('admin');
    expect([...follower.state.tenants()]).toHaveLength(1);
  });

  it('agrees on one key when two first starts share a home', async () => {
    const other = createControlFollower({
      url: database.url,
      controlLog: createControlLog({ pool: database.pool }),
      log: testLog(),
      serves: false,
    });
    await other.start();
    const started = await Promise.all([
      bootstrap({ home, controlLog, follower }),
      bootstrap({ home, controlLog: createControlLog({ pool: database.pool }), follower: other }),
    ]);
    expect(started.filter(({ created }) => created)).toHaveLength(1);
    expect(await callerOf()).toBe('admin');
    await other.stop();
  });

  it('removes the key that lost to a first start elsewhere', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    const other = createControlFollower({
      url: database.url,
      controlLog: createControlLog({ pool: database.pool }),
      log: testLog(),
      serves: false,
    });
    await other.start();
    const started = await Promise.all([
      bootstrap({ home, controlLog, follower }),
      bootstrap({ home: elsewhere, controlLog: createControlLog({ pool: database.pool }), follower: other }),
    ]);
    expect(started.filter(({ created }) => created)).toHaveLength(1);
    expect([...(await readdir(home)), ...(await readdir(elsewhere))]).toEqual([ADMIN_KEY_FILE]);
    await other.stop();
    await rm(elsewhere, { recursive: true, force: true });
  });

  it('refuses a file that holds no key', async () => {
    await writeFile(join(home, ADMIN_KEY_FILE), 'something else');
    await expect(bootstrap({ home, controlLog, follower })).rejects.toMatchObject({ code: 'config-invalid' });
  });
});
