import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEvent, createHttpEmitter } from '../../../src/emit/index.js';
import { createGuard, type Guard } from '../../../src/guard/index.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { testLog } from '../../support/services.js';
import { makeKey, signJwt } from '../../conformance/signing.js';
import { API, RAS } from '../../support/stage.js';
import { until } from '../guard/guard-fixture.js';

const TEST_TIMEOUT_MS = 60_000;
const ALICE = 'alice.archer@acme.example';
const BOB = 'bob.baker@acme.example';
const key = makeKey('ES256', 'ras-1');
const cleanups = cleanUp(afterAll);
const secrets: Record<string, string> = {};
let nodes: readonly RunningRescind[];
let guard: Guard;

beforeAll(async () => {
  const { rescind, database } = await startOwnRescind(cleanups);
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  const env = { RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: 'none', LOG_LEVEL: 'silent' };
  const second = await startRescind(readConfig(env), { log: testLog() });
  cleanups.push(() => second.stop());
  nodes = [rescind, second];
  const admin = createRescindAdmin(rescind.url, rescind.adminKey!);
  await admin.post('/v1/sources', {
    name: 'chat',
    uri: RAS,
    types: ['token.issued'],
    issuers: [RAS],
    resources: [API],
    jwks: { keys: [key.jwk] },
    profile: { lineage: 'none' },
  });
  const bounds = { resources: [API], issuers: [RAS] };
  for (const [id, roles] of Object.entries({
    producer: { emit: { sources: ['chat'] } },
    api: { introspect: bounds },
    guard: { guard: bounds },
  }))
    secrets[id] = (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  guard = createGuard({ rescind: second.url, credentials: { id: 'guard', secret: secrets['guard']! } });
  cleanups.push(() => guard.stop());
  guard.start();
  await guard.ready;
}, TEST_TIMEOUT_MS);

const now = Math.floor(Date.now() / 1000);
const facts = (sub: string) => ({
  kind: 'access' as const,
  iss: RAS,
  sub,
  client_id: 'wiki',
  aud: [API],
  scope: 'chat.read',
  iat: now,
  exp: now + 900,
});

async function announce(data: object): Promise<void> {
  const emitter = createHttpEmitter({ url: nodes[0]!.url, credentials: { bearer: secrets['producer']! } });
  const event = buildEvent('token.issued', { source: RAS, data: data as never });
  expect(await emitter.emit([event])).toMatchObject([{ state: 'sequenced' }]);
}

const ask = async ({ url }: RunningRescind, token: string): Promise<any> =>
  (
    await fetch(new URL('/introspect', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets['api']}` },
      body: new URLSearchParams({ token }),
    })
  ).json();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

describe('answers about tokens after an erasure', () => {
  it(
    'name the person in no process and no guard, and say active as before',
    async () => {
      const [alices, bobs] = ['opaque-token-of-one-person', 'opaque-token-of-another'];
      await announce({ ...facts(ALICE), sha256: sha256(alices) });
      await announce({ ...facts(BOB), sha256: sha256(bobs) });
      await announce({ ...facts(ALICE), jti: 'at-jwt' });
      const jwt = signJwt(key, { ...facts(ALICE), kind: undefined, jti: 'at-jwt', aud: API });
      // Asked twice, so that each remembers.
      for (const node of [...nodes, ...nodes])
        for (const token of [alices, jwt]) expect(await ask(node, token)).toMatchObject({ active: true, sub: ALICE });
      for (const one of [alices, bobs]) await guard.check(one);
      await until(() => !(guard.check(alices) instanceof Promise));
      expect(JSON.stringify(guard.check(alices))).toContain(ALICE);

      const admin = createRescindAdmin(nodes[0]!.url, nodes[0]!.adminKey!);
      const user = { iss: RAS, sub: ALICE };
      const { id } = await admin.post<{ id: string }>('/v1/erasures', { user, reason: 'request 2026-117' });
      await until(async () => (await admin.get<{ state: string }>(`/v1/erasures/${id}`)).state === 'done');

      const local = await guard.check(alices);
      const said = [await ask(nodes[1]!, alices), await ask(nodes[0]!, alices)];
      for (const one of said)
        expect(one).toMatchObject({ active: true, sub: expect.stringMatching(/^erased person /), client_id: 'wiki' });
      expect(JSON.stringify([local, said])).not.toContain(ALICE);
      expect(local).toMatchObject({ state: 'active' });
      // The text of a JWT states the name that the facts have lost.
      for (const node of nodes) expect(await ask(node, jwt)).toEqual({ active: false });
      // Nobody else's answer changes, and memory serves again.
      expect(await ask(nodes[1]!, bobs)).toMatchObject({ active: true, sub: BOB });
      expect(await guard.check(bobs)).toMatchObject({ state: 'active' });
    },
    TEST_TIMEOUT_MS,
  );
});
