import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventType, type EventDataOf, type SourceEventName } from '../../src/contracts/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startParts, type Cleanups } from '../support/cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../support/services.js';
import * as parties from './parties.js';

/** The whole service on a database of its own, with the parties registered through its API. */
export interface ConformanceService {
  readonly url: string;
  readonly database: TestDatabase;
  readonly adminKey: string;
  /** The `Authorization` header of a registered caller. */
  basic(caller: string): string;
  secret(caller: string): string;
  /** Durable when it resolves. */
  emit<N extends SourceEventName>(source: string, name: N, data: EventDataOf[N]): Promise<void>;
  /** Puts a rule in force. */
  revoke(selector: object, effect?: 'revoke' | 'block'): Promise<string>;
  lift(rule: string): Promise<void>;
  updateSource(name: string, body: object): Promise<void>;
  post(path: string, form: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const PRODUCER = 'producer';
export const SOURCES: Readonly<Record<string, object>> = {
  idp: registered(parties.IDP_SOURCE),
  chat: registered(parties.RAS_SOURCE),
  crm: registered(parties.OTHER_RAS_SOURCE),
};
const CALLERS = [
  parties.RESOURCE_SERVER,
  parties.AUTHORIZATION_SERVER,
  parties.OTHER_RESOURCE_SERVER,
  { id: PRODUCER, roles: { emit: { sources: Object.keys(SOURCES) } } },
  { id: 'security', roles: { revoke: { tenant: true } } },
];

function registered({ name, uri, types, issuers, resources, jwks }: typeof parties.RAS_SOURCE): object {
  return { name, uri, types, issuers, resources, ...(jwks ? { jwks } : {}) };
}

export function startConformanceService(): Promise<ConformanceService> {
  return startParts(startService);
}

async function startService(cleanups: Cleanups): Promise<Omit<ConformanceService, 'stop'>> {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const config = readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: 'none' });
  const rescind = await startRescind(config, { log: testLog() });
  cleanups.push(() => rescind.stop());
  const secrets = new Map<string, string>();

  async function call(
    method: string,
    path: string,
    bearer: string,
    body: unknown,
    type = 'application/json',
  ): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': type };
    const response = await fetch(rescind.url + path, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
  const secret = (caller: string): string => {
    const found = secrets.get(caller);
    if (found === undefined) throw new TypeError(`${caller} is not registered`);
    return found;
  };

  const admin = rescind.adminKey!;
  for (const source of Object.values(SOURCES)) await call('POST', '/v1/sources', admin, source);
  for (const { id, roles } of CALLERS)
    secrets.set(id, secretIn(await call('POST', '/v1/callers', admin, { id, roles })));

  return {
    url: rescind.url,
    database,
    adminKey: admin,
    secret,
    basic: (caller) => parties.basic(caller, secret(caller)),
    async emit(source, name, data) {
      const { uri } = SOURCES[source] as { uri: string };
      const event = {
        specversion: '1.0',
        type: eventType(name),
        source: uri,
        id: randomUUID(),
        time: new Date().toISOString(),
        data,
      };
      await call('POST', '/events', secret(PRODUCER), event, 'application/cloudevents+json');
    },
    async revoke(selector, effect) {
      const { id } = await call('POST', '/v1/revocations', secret('security'), {
        selector,
        reason: 'conformance',
        ...(effect ? { effect } : {}),
      });
      return id as string;
    },
    async lift(rule) {
      await call('POST', `/v1/revocations/${rule}/lift`, secret('security'), { resume: true, reason: 'conformance' });
    },
    async updateSource(name, body) {
      await call('PUT', `/v1/sources/${name}`, admin, body);
    },
    async post(path, form, headers = {}) {
      const response = await fetch(rescind.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: form,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}

function secretIn(created: Record<string, unknown>): string {
  const found = /"(rsk_[A-Za-z0-9_-]+)"/.exec(JSON.stringify(created))?.[1];
  if (found === undefined) throw new Error('the registration answered no secret');
  return found;
}
