import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createLog, type Log } from '../../src/platform/log/index.js';
import {
  createRescindAdmin,
  isRecorded,
  startSandbox,
  type AppName,
  type ClientName,
  type RescindAdmin,
  type Sandbox,
  type UserName,
} from '../../src/sandbox/index.js';
import { createMigratedDatabase, testBrokers, uniqueName } from '../support/services.js';

export interface RunningRescind {
  readonly url: string;
  readonly adminKey: string;
  readonly admin: RescindAdmin;
  readonly brokers: readonly string[] | null;
  readonly home: string;
  readonly log: Log;
  /** Everything that the service and the sandbox logged, at every level. */
  readonly logLines: readonly string[];
  stop(): Promise<void>;
}

/** The service in this process, as `rescind serve` starts it, on a database of its own. */
export async function startService(kafka: 'kafka' | 'no kafka'): Promise<RunningRescind> {
  const database = await createMigratedDatabase();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  const logLines: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => logLines.push(line) } });
  const brokers = kafka === 'kafka' ? testBrokers() : null;
  const config = readConfig({
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: brokers === null ? 'none' : brokers.join(','),
    TOPIC_PREFIX: uniqueName('rescind'),
    LOG_LEVEL: 'trace',
    // As the demo has it.
    FINDINGS_LEARN_DAYS: '0',
  });
  const service = await startRescind(config, { log });
  const { url, adminKey } = service;
  if (adminKey === undefined) throw new Error('the first start wrote no admin key');
  return {
    url,
    adminKey,
    admin: createRescindAdmin(url, adminKey),
    brokers,
    home,
    log,
    logLines,
    async stop() {
      await service.stop();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export interface Organisation {
  readonly service: RunningRescind;
  readonly sandbox: Sandbox;
  readonly analyst: RescindAdmin;
  /** A fresh ID-JAG, redeemed for a fresh access token, whose event the ledger has. */
  obtain(user: UserName, client: ClientName, app: AppName): Promise<string>;
  stop(): Promise<void>;
}

export async function startOrganisation(kafka: 'kafka' | 'no kafka'): Promise<Organisation> {
  const service = await startService(kafka);
  const { url, adminKey, brokers, log } = service;
  const sandbox = await startSandbox({ rescindUrl: url, adminKey, brokers, log, suffix: uniqueName('') });
  const analyst = createRescindAdmin(url, sandbox.registered.analyst.secret);
  return {
    service,
    sandbox,
    analyst,
    async obtain(user, client, app) {
      const party = sandbox.clients[client];
      const { accessToken } = await party.redeem(app, await party.exchange(user, app));
      await until(() => isRecorded(analyst, accessToken));
      return accessToken;
    },
    async stop() {
      await sandbox.stop();
      await service.stop();
    },
  };
}

const POLL_MS = 25;

/** Asks again until the answer is there. Jest's own limit ends a wait for what never comes. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
