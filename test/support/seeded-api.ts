import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlFollower, createControlLog, type Caller } from '../../src/control/index.js';
import { createOpenFindings, DETECTIONS, FindingsModule, followNext } from '../../src/findings/index.js';
import { createHttpApp, listenHttp } from '../../src/platform/http/index.js';
import { type Log } from '../../src/platform/log/index.js';
import { createPool } from '../../src/platform/postgres/index.js';
import { createQuestions, createReader, describeApi, QueryModule, type PreviewOrder } from '../../src/query/index.js';
import {
  ADMIN_KEY_FILE,
  createAuthenticator,
  createIdentify,
  createRegistry,
  RegistryModule,
} from '../../src/registry/index.js';
import { createRevocations, RevocationModule } from '../../src/revocation/index.js';
import { seedOrganisation, type Seeded } from '../../src/seed/index.js';
import { SettingsModule } from '../../src/settings/index.js';
import { createFindingsParts } from './findings-parts.js';

export interface SeededApi {
  readonly url: string;
  readonly seeded: Seeded;
  get(path: string): Promise<{ readonly status: number; readonly body: any }>;
  put(path: string, body: object): Promise<void>;
  post(path: string, body: object): Promise<any>;
  /** Reads the ledger with every detection. */
  find(): Promise<void>;
  stop(): Promise<void>;
}

export interface SeededApiOptions {
  /** URL of an empty database. */
  readonly databaseUrl: string;
  readonly log: Log;
  readonly events: number;
  readonly days: number;
  /** Epoch seconds; also the clock of the questions. */
  readonly end: number;
}

/** An organisation seeded into a database, and the read API over HTTP on it, at the moment at which its history ends. */
export async function startSeededApi({ databaseUrl, log, events, days, end }: SeededApiOptions): Promise<SeededApi> {
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  try {
    const seeded = await seedOrganisation({ databaseUrl, home, log, events, days, end });
    const key = (await readFile(join(home, ADMIN_KEY_FILE), 'utf8')).trim();
    const pool = createPool({ url: databaseUrl, max: 6, applicationName: 'seeded' });
    const controlLog = createControlLog({ pool });
    const follower = createControlFollower({ url: databaseUrl, controlLog, log, serves: false });
    await follower.start();
    const state = () => follower.state;
    const revocations = createRevocations({ controlLog, follower, pool, now: () => end * 1000 });
    const previewOrder: PreviewOrder = (caller, order) => revocations.preview(caller as Caller, order);
    const reader = createReader(state);
    const openFindings = createOpenFindings({ reader });
    const questions = createQuestions({ pool, control: state, previewOrder, openFindings, now: () => end });
    const registry = RegistryModule.with({
      registry: createRegistry({ controlLog, follower }),
      identify: createIdentify(createAuthenticator({ state })),
    });
    const { tenantKey } = reader;
    const findings = createFindingsParts({ pool, controlLog, follower, log, now: () => end });
    const settings = SettingsModule.with({ url: databaseUrl, tenantKey, now: () => end });
    const listen = { host: '127.0.0.1', port: 0, trustedProxy: false };
    const app = await createHttpApp({
      module: {
        ...QueryModule.with({ questions }),
        imports: [registry, settings, FindingsModule.with(findings), RevocationModule.with({ revocations })],
      },
      listen,
      log,
    });
    describeApi(app, { version: '0.0.0' });
    const url = await listenHttp(app, listen);
    async function send(method: string, path: string, body: object): Promise<any> {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.json();
    }
    return {
      url,
      seeded,
      async get(path) {
        const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
        const text = await response.text();
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
      },
      async find() {
        const tenants = () => follower.state.tenants();
        await followNext({ pool, tenants, control: reader, detections: DETECTIONS, now: () => end * 1000 });
      },
      put: async (path, body) => void (await send('PUT', path, body)),
      post: (path, body) => send('POST', path, body),
      async stop() {
        await app.close();
        await findings.stopTelling();
        await follower.stop();
        await pool.end();
      },
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
