import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../src/sandbox/index.js';
import { startBrowser } from '../console/start-console.js';
import type { Cleanups } from '../support/cleanups.js';
import { ownPostgres, testLog, type OwnService } from '../support/services.js';

export const IDP = 'https://idp.example';
export const CRM = {
  as: 'https://login.crm.example',
  api: 'https://api.crm.example',
  events: 'https://crm.example/events',
};

export interface OwnConsole {
  /** To be handed to `openConsole`. */
  readonly at: { readonly url: string; readonly key: string };
  readonly postgres: OwnService & { readonly url: string };
  readonly admin: RescindAdmin;
  /** Variables of the service, with the port that it has. */
  readonly variables: Readonly<Record<string, string>>;
  /** Stops the service; what it stored stays. */
  stop(): Promise<void>;
  /** Registers a caller and returns its secret. */
  caller(id: string, roles: object): Promise<string>;
  /** Sends an event of the CRM. `at`: when it happened. */
  say(type: string, data: object, at?: Date): Promise<void>;
}

/** A browser, and a service on a PostgreSQL of its own, for specs that break it or fill it with names that no other spec should meet. */
export async function startOwnConsole(
  cleanups: Pick<Cleanups, 'push'>,
  {
    env = {},
    resources = [],
  }: { readonly env?: Readonly<Record<string, string>>; readonly resources?: readonly string[] } = {},
): Promise<OwnConsole> {
  const browser = await startBrowser();
  cleanups.push(() => browser.close());
  process.env['TEST_BROWSER'] = browser.wsEndpoint();
  const postgres = await ownPostgres();
  cleanups.push(() => postgres.remove());
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  await postgres.start();
  const variables = { RESCIND_HOME: home, PORT: '0', DATABASE_URL: postgres.url, KAFKA_BROKERS: 'none', ...env };
  const service = await startRescind(readConfig(variables), { log: testLog() });
  cleanups.push(() => service.stop());
  const admin = createRescindAdmin(service.url, service.adminKey!);
  const caller = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  await admin.post('/v1/sources', {
    name: 'crm',
    uri: CRM.events,
    types: ['token.issued', 'access.allowed', 'access.denied', 'id-jag.issued'],
    issuers: [CRM.as, IDP],
    resources: [CRM.api, ...resources],
  });
  const secret = await caller('crm', {
    emit: { sources: ['crm'] },
    introspect: { resources: [CRM.api], issuers: [CRM.as] },
  });
  return {
    at: { url: service.url, key: service.adminKey! },
    postgres,
    admin,
    variables: { ...variables, PORT: new URL(service.url).port },
    stop: () => service.stop(),
    caller,
    async say(type, data, at = new Date()) {
      const answer = await fetch(`${service.url}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({
          specversion: '1.0',
          id: randomUUID(),
          source: CRM.events,
          type: `dev.rescind.${type}.v1`,
          time: at.toISOString(),
          data,
        }),
      });
      if (answer.status !== 200) throw new Error(`${type}: ${answer.status} ${await answer.text()}`);
    },
  };
}

/** Facts of an access token that the CRM issued. */
export function tokenOf(user: string, client: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1_000);
  return {
    kind: 'access',
    iss: CRM.as,
    jti: randomUUID(),
    scope: 'crm.read',
    sub: user,
    client_id: client,
    aud: [CRM.api],
    iat: now,
    exp: now + 3_600,
    id_jag: { iss: IDP, jti: randomUUID(), sub: user, client_id: client },
    ...more,
  };
}
