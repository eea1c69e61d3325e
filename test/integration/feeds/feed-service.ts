import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventType, type EventDataOf, type SourceEventName, type TokenIssued } from '../../../src/contracts/index.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import * as parties from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { metricsWith } from '../../support/metrics.js';
import { startParts, type Cleanups } from '../../support/cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../../support/services.js';

const PRODUCER = 'producer';
export const registered = ({ name, uri, types, issuers, resources, jwks }: typeof parties.RAS_SOURCE): object => ({
  name,
  uri,
  types,
  issuers,
  resources,
  ...(jwks ? { jwks } : {}),
});
/** Another API of the first company. */
export const FILES_API = 'https://files.chat.example';
export const CHAT_SOURCE = { ...parties.RAS_SOURCE, resources: [parties.API, FILES_API] };
const SOURCES: Readonly<Record<string, { readonly uri: string }>> = {
  idp: parties.IDP_SOURCE,
  chat: CHAT_SOURCE,
  crm: parties.OTHER_RAS_SOURCE,
};

/** Callers: the guard of one API, the guard of all APIs of both companies, and one that introspects within the first's bounds. */
export const GUARD = 'chat-guard';
export const WIDE_GUARD = 'both-guard';
export const INTROSPECTOR = 'chat-api';
const CALLERS = {
  [GUARD]: { guard: { resources: [parties.API], issuers: [parties.RAS] } },
  [WIDE_GUARD]: {
    guard: { resources: [parties.API, FILES_API, parties.OTHER_API], issuers: [parties.RAS, parties.OTHER_RAS] },
  },
  [INTROSPECTOR]: { introspect: { resources: [parties.API], issuers: [parties.RAS] } },
  [PRODUCER]: { emit: { sources: Object.keys(SOURCES) } },
  security: { revoke: { tenant: true } },
  auditor: { audit: {} },
};

export interface Confirmed {
  readonly id: string;
  readonly seq: string;
  readonly confirmed: { readonly nodes: number; readonly guards: number; readonly expired: number };
  readonly ms: number;
}

/** The whole service on a database of its own, with the parties registered through its API. */
export interface FeedService {
  readonly url: string;
  readonly database: TestDatabase;
  readonly running: RunningRescind;
  secret(caller: string): string;
  basic(caller: string): string;
  call<T = Record<string, unknown>>(method: string, path: string, as: string, body?: unknown): Promise<T>;
  /** Calls as the administrator. */
  admin<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  register(id: string, roles: object): Promise<void>;
  /** Durable when it resolves. */
  emit<N extends SourceEventName>(source: string, name: N, data: EventDataOf[N]): Promise<void>;
  /** An opaque access token of `parties.RAS` for `parties.API`, recorded with its ID-JAG for the user `idp-<sub>`. Returns its text. */
  issue(over?: Partial<TokenIssued>): Promise<string>;
  /** Resolves when it is in force. */
  order(selector: object, over?: object): Promise<Confirmed>;
  introspect(token: string, at?: string): Promise<unknown>;
  metricsWith(pattern: RegExp): Promise<string>;
  /** Another process on the same database. */
  another(over?: Readonly<Record<string, string>>): Promise<RunningRescind>;
  stop(): Promise<void>;
}

export function startFeedService(over: Readonly<Record<string, string>> = {}): Promise<FeedService> {
  return startParts((cleanups) => startService(cleanups, over));
}

async function startService(
  cleanups: Cleanups,
  over: Readonly<Record<string, string>>,
): Promise<Omit<FeedService, 'stop'>> {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  const secrets = new Map<string, string>();

  async function start(more: Readonly<Record<string, string>> = {}): Promise<RunningRescind> {
    const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
    cleanups.push(() => rm(home, { recursive: true, force: true }));
    const started = await startRescind(
      readConfig({
        RESCIND_HOME: home,
        PORT: '0',
        DATABASE_URL: database.url,
        KAFKA_BROKERS: 'none',
        ...over,
        ...more,
      }),
      { log: testLog() },
    );
    cleanups.push(() => started.stop());
    return started;
  }

  const running = await start();
  const adminKey = running.adminKey!;

  async function send<T>(
    method: string,
    path: string,
    bearer: string,
    body: unknown,
    type = 'application/json',
  ): Promise<T> {
    const response = await fetch(running.url + path, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  const secret = (caller: string): string => {
    const found = secrets.get(caller);
    if (found === undefined) throw new TypeError(`${caller} is not registered`);
    return found;
  };

  const service: Omit<FeedService, 'stop'> = {
    url: running.url,
    database,
    running,
    secret,
    basic: (caller) => parties.basic(caller, secret(caller)),
    call: (method, path, as, body) => send(method, path, secret(as), body),
    admin: (method, path, body) => send(method, path, adminKey, body),
    async register(id, roles) {
      secrets.set(
        id,
        /"(rsk_[A-Za-z0-9_-]+)"/.exec(JSON.stringify(await send('POST', '/v1/callers', adminKey, { id, roles })))![1]!,
      );
    },
    async emit(source, name, data) {
      const event = {
        specversion: '1.0',
        type: eventType(name),
        source: SOURCES[source]!.uri,
        id: randomUUID(),
        time: new Date().toISOString(),
        data,
      };
      await send('POST', '/events', secret(PRODUCER), event, 'application/cloudevents+json');
    },
    async issue(tokenOver = {}) {
      const text = `opaque-${randomUUID()}`;
      const now = Math.floor(Date.now() / 1000);
      const [jti, sub] = [randomUUID(), `idp-${tokenOver.sub ?? 'anybody'}`];
      await service.emit('idp', 'id-jag.issued', parties.idJagFacts(now, { jti, sub }));
      const idJag = { iss: parties.IDP, jti, sub, client_id: 'wiki-at-chat', iat: now - 40 };
      await service.emit(
        'chat',
        'token.issued',
        parties.tokenFacts(now, { sha256: digestOf(text), id_jag: idJag, ...tokenOver }),
      );
      return text;
    },
    order: (selector, orderOver = {}) =>
      service.call('POST', '/v1/revocations', 'security', { selector, reason: 'spec', ...orderOver }),
    async introspect(token, at = running.url) {
      const response = await fetch(`${at}/introspect`, {
        method: 'POST',
        headers: { authorization: service.basic(INTROSPECTOR) },
        body: new URLSearchParams({ token }),
      });
      return response.status === 200 ? response.json() : response.status;
    },
    metricsWith: (pattern) => metricsWith(running.url, pattern),
    another: start,
  };

  for (const { name } of Object.values(SOURCES) as (typeof parties.RAS_SOURCE)[])
    await service.admin('POST', '/v1/sources', registered(SOURCES[name] as typeof parties.RAS_SOURCE));
  for (const [id, roles] of Object.entries(CALLERS)) await service.register(id, roles);
  return service;
}
