import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventDataOf, IntakeResult, SourceEventName } from '../../src/contracts/index.js';
import { buildEvent, createHttpEmitter } from '../../src/emit/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { ownPostgres, testLog } from '../support/services.js';

export interface Registered {
  /** The authorization server, which is the source of its tokens. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly resource: string;
  readonly profile: object;
  /** The identity provider whose ID-JAGs it redeems, a source of its own. */
  readonly idp: string;
}

/** A Rescind with a PostgreSQL of its own, which knows one authorization server and one identity provider. */
export interface RescindAtServer {
  /** Says what one of the two did; rejects if it is refused. */
  say<N extends SourceEventName>(
    party: 'ras' | 'idp',
    name: N,
    data: EventDataOf[N],
    time?: Date,
  ): Promise<IntakeResult>;
  isActive(token: string): Promise<boolean>;
  order(selector: object): Promise<unknown>;
  get(path: string): Promise<any>;
  stop(): Promise<void>;
}

export async function startRescindAt({
  issuer,
  jwksUri,
  resource,
  profile,
  idp,
}: Registered): Promise<RescindAtServer> {
  const postgres = await ownPostgres();
  await postgres.start();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  const config = readConfig({
    RESCIND_HOME: home,
    PORT: '0',
    DATABASE_URL: postgres.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
    JWKS_ALLOWED_HOSTS: '127.0.0.1',
  });
  const rescind = await startRescind(config, { log: testLog() });
  const admin = createRescindAdmin(rescind.url, rescind.adminKey!);
  await admin.post('/v1/sources', {
    name: 'ras',
    uri: issuer,
    types: ['token.issued', 'token.revoked', 'token.denied'],
    issuers: [issuer],
    resources: [resource],
    jwks_uri: jwksUri,
    profile,
  });
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: idp,
    types: ['session.ended', 'user.disabled', 'user.enabled'],
    issuers: [idp],
  });
  const secretOf = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  const emitter = createHttpEmitter({
    url: rescind.url,
    credentials: { bearer: await secretOf('producer', { emit: { sources: ['ras', 'idp'] } }) },
  });
  const asker = await secretOf('api', { introspect: { resources: [resource], issuers: [issuer] } });
  const uriOf = { ras: issuer, idp };

  return {
    async say(party, name, data, time = new Date()) {
      const [result] = await emitter.emit([buildEvent(name, { source: uriOf[party], id: randomUUID(), time, data })]);
      if (result === undefined || 'error' in result) throw new Error(`${name} was refused: ${JSON.stringify(result)}`);
      return result;
    },
    async isActive(token) {
      const response = await fetch(new URL('/introspect', rescind.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${asker}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token }).toString(),
      });
      return ((await response.json()) as { active: boolean }).active;
    },
    order: (selector) => admin.post('/v1/revocations', { selector, reason: 'spec' }),
    get: (path) => admin.get(path),
    async stop() {
      await rescind.stop();
      await postgres.remove();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The claims of a JWT, which the spec has from the server itself. */
export const claimsOf = (token: string): Record<string, any> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')) as Record<string, any>;
