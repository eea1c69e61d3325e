import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createControlFollower,
  createControlLog,
  type ControlFollower,
  type ControlLog,
} from '../../../src/control/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { runMigrations } from '../../../src/platform/postgres/index.js';
import { bootstrap, createRegistry, type Actor, type Registry } from '../../../src/registry/index.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../../support/services.js';

export interface ControlProcess {
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly registry: Registry;
}

export interface ControlFixture extends ControlProcess {
  readonly database: TestDatabase;
  readonly home: string;
  /** The administrator that the first start made. */
  readonly admin: Actor;
  /** Another process on the same database; one that does not answer introspection. */
  startProcess(): Promise<ControlProcess>;
  stop(): Promise<void>;
}

export async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createMigratedDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  return database;
}

/** One serving process on a database of its own, after its first start. */
export async function startControl(): Promise<ControlFixture> {
  const database = await migratedDatabase();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  const followers: ControlFollower[] = [];

  async function startProcess(serves: boolean): Promise<ControlProcess> {
    const controlLog = createControlLog({ pool: database.pool });
    const follower = createControlFollower({ url: database.url, controlLog, log: testLog(), serves });
    await follower.start();
    followers.push(follower);
    return { controlLog, follower, registry: createRegistry({ controlLog, follower }) };
  }

  const first = await startProcess(true);
  await bootstrap({ home, controlLog: first.controlLog, follower: first.follower });
  return {
    ...first,
    database,
    home,
    admin: first.follower.state.caller('admin')!,
    startProcess: () => startProcess(false),
    async stop() {
      for (const follower of followers) await follower.stop();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export const IDP_SOURCE = {
  name: 'idp',
  uri: 'https://idp.acme.example',
  types: [
    'id-jag.issued',
    'session.ended',
    'user.disabled',
    'user.enabled',
    'client.disabled',
    'connection.deleted',
    'connection.created',
  ],
  issuers: ['https://idp.acme.example'],
};
export const CHAT_SOURCE = {
  name: 'chat',
  uri: 'https://chat.example',
  types: ['token.issued', 'token.revoked', 'access.allowed'],
  issuers: ['https://login.chat.example'],
  resources: ['https://api.chat.example/mcp'],
};
