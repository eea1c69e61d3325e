import { expect } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import type { RunningRescind } from '../../../src/main.js';
import type { Cleanups } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import type { TestDatabase } from '../../support/services.js';
import { makeProducerKey, type ProducerKey } from '../../support/signed.js';
import { access, API, RAS, token } from '../../support/stage.js';

export const SET = 'application/secevent+jwt';
export const BATCH = 'application/rescind-batch';
export const PLAIN = 'application/cloudevents+json';
export const PLAIN_BATCH = 'application/cloudevents-batch+json';

export let database: TestDatabase;
export let service: RunningRescind;
export let audience: string;
export const secrets: Record<string, string> = {};
export const keys: Record<string, ProducerKey> = {};

export const chat = (over: object = {}) => ({
  name: 'chat',
  uri: `${RAS}/chat`,
  types: ['token.issued', 'access.allowed'],
  issuers: [RAS],
  resources: [API],
  signature: 'required',
  jwks: { keys: [keys['chat']!.publicJwk, keys['ed']!.publicJwk, keys['rsa']!.publicJwk] },
  ...over,
});

/** Starts the service with two sources that sign, `chat` and `other`, and their callers. */
export async function startSigned(cleanups: Pick<Cleanups, 'push'>): Promise<void> {
  ({ rescind: service, database } = await startOwnRescind(cleanups, { env: { JWKS_ALLOWED_HOSTS: '127.0.0.1' } }));
  keys['chat'] = await makeProducerKey('chat-1');
  keys['ed'] = await makeProducerKey('chat-ed', 'EdDSA');
  keys['rsa'] = await makeProducerKey('chat-rsa', 'RS256');
  keys['other'] = await makeProducerKey('other-1');
  keys['forged'] = await makeProducerKey('chat-1');
  secrets['admin'] = service.adminKey!;
  ({ audience } = (await call('admin', 'POST', '/v1/sources', chat())).body);
  await call('admin', 'POST', '/v1/sources', {
    ...chat({ name: 'other', uri: `${RAS}/other` }),
    jwks: { keys: [keys['other'].publicJwk] },
  });
  const caller = (id: string, roles: object) => call('admin', 'POST', '/v1/callers', { id, roles });
  secrets['emitter'] = (await caller('emitter', { emit: { sources: ['chat'] } })).body.secret;
  secrets['both'] = (await caller('both', { emit: { sources: ['chat', 'other'] } })).body.secret;
  secrets['auditor'] = (await caller('auditor', { audit: {} })).body.secret;
}

interface Answer {
  readonly status: number;
  readonly body: any;
}

export async function call(who: string, method: string, path: string, body?: unknown, type = 'application/json') {
  const response = await fetch(new URL(path, service.url), {
    method,
    headers: { authorization: `Bearer ${secrets[who]}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() } as Answer;
}

export const post = (type: string, body: unknown, who = 'emitter') => call(who, 'POST', '/events', body, type);

let count = 0;
export const used = (over: Partial<CloudEvent> = {}): CloudEvent => {
  count += 1;
  const data = access({ token: { iss: RAS, jti: `at-${count}` } });
  const event = buildEvent('access.allowed', { source: `${RAS}/chat`, id: `e-${count}`, data });
  return { ...event, ...over } as CloudEvent;
};
export const issued = (jti: string, over: object = {}): CloudEvent =>
  buildEvent('token.issued', {
    source: `${RAS}/chat`,
    id: `issued-${jti}`,
    data: token({ jti, ...over }),
  }) as CloudEvent;

export const stored = async (): Promise<number> =>
  (
    await database.pool.query(
      `SELECT 1 FROM entry WHERE type NOT LIKE '%.changed.v1' AND type <> 'dev.rescind.key.used.v1'`,
    )
  ).rowCount!;
export const sequenced = { index: expect.stringMatching(/^[0-9]+$/), state: 'sequenced' };
export const entryAt = async (index: string): Promise<any> =>
  (await call('auditor', 'GET', `/v1/entries/${index}`)).body;
