import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { EventDataOf, SourceEventName } from '../../../src/contracts/index.js';
import { createControlFollower, createControlLog } from '../../../src/control/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createTopicFeeds } from '../../../src/feeds/index.js';
import { createControlSeal } from '../../../src/feeds/topics/control-message.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { testBrokers, testLog, uniqueName } from '../../support/services.js';
import { batchOf, makeProducerKey, setOf } from '../../support/signed.js';
import { access, API, IDP, idJag, RAS, token } from '../../support/stage.js';
import { until } from '../feeds/topics-fixture.js';
import { dumpOf, filesOf, placesOf } from './dump.js';

const TEST_TIMEOUT_MS = 180_000;
const SUB = 'zephyrine.quillfeather@acme.example';
const LOCAL = 'zq-local-4711';
const SHOWN = 'Zéphyrine Quillfeather';
/** Parts of the names, which nothing else contains. */
const PARTS = ['zephyrine', 'Zéphyrine', 'quillfeather', 'zq-local'];

const cleanups = cleanUp(afterAll, TEST_TIMEOUT_MS);
const prefix = uniqueName('left');
const topicKey = randomBytes(32);
const kafka = createKafka({ brokers: testBrokers(), clientId: 'spec', log: testLog() });
let own: OwnRescind;
beforeAll(async () => {
  own = await startOwnRescind(cleanups, {
    env: {
      KAFKA_BROKERS: testBrokers().join(),
      TOPIC_PREFIX: prefix,
      CONTROL_TOPIC_KEY: topicKey.toString('base64url'),
    },
  });
}, TEST_TIMEOUT_MS);

const person = { iss: IDP, sub: SUB };
const event = <N extends SourceEventName>(source: string, name: N, data: EventDataOf[N], id?: string) =>
  buildEvent(name, { source, data, ...(id === undefined ? {} : { id }) }) as never;

/** Puts the person wherever a person can be put through a door. */
async function fill(): Promise<ReturnType<typeof createRescindAdmin>> {
  const { rescind } = own;
  const admin = createRescindAdmin(rescind.url, rescind.adminKey!);
  const [key, other] = [await makeProducerKey('k-1'), await makeProducerKey('k-2')];
  const sources = { idp: `${IDP}/events`, chat: `${RAS}/events`, signed: `${RAS}/signed` };
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: sources.idp,
    types: ['id-jag.issued', 'id-jag.denied', 'user.disabled', 'session.ended'],
    issuers: [IDP],
  });
  const bounds = { types: ['token.issued', 'access.allowed'], issuers: [RAS], resources: [API] };
  await admin.post('/v1/sources', { name: 'chat', uri: sources.chat, ...bounds });
  const { audience } = await admin.post<{ audience: string }>('/v1/sources', {
    name: 'signed',
    uri: sources.signed,
    ...bounds,
    signature: 'required',
    jwks: { keys: [key.publicJwk] },
  });
  const roles = { emit: { sources: ['idp', 'chat', 'signed'] }, audit: {}, revoke: { tenant: true } };
  const { secret } = await admin.post<{ secret: string }>('/v1/callers', { id: 'all', roles });
  const send = async (type: string, body: string): Promise<string> =>
    (
      await fetch(`${rescind.url}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': type },
        body,
      })
    ).text();

  const path = `/people/${encodeURIComponent(SHOWN)}/${SUB}`;
  const jag = { jti: 'gr-z', sub: SUB, aud_sub: LOCAL, sid: 's-z' };
  const ofToken = (jti: string) => ({
    jti,
    sub: LOCAL,
    id_jag: { iss: IDP, jti: 'gr-z', sub: SUB, client_id: 'wiki-at-chat' },
  });
  const plain = [
    event(sources.idp, 'id-jag.issued', idJag(jag), `grant-of-${SUB}`),
    event(sources.idp, 'id-jag.denied', {
      iss: IDP,
      sub: SUB,
      idp_client_id: 'wiki-at-idp',
      aud: [RAS],
      error: 'access_denied',
      reason: `${SHOWN} may not, says ${SHOWN.toUpperCase()}`,
    }),
    event(sources.chat, 'token.issued', token(ofToken('at-z'))),
    event(sources.chat, 'access.allowed', access({ token: { iss: RAS, jti: 'at-z' }, path, operation: 'read' })),
    event(sources.idp, 'session.ended', { iss: IDP, sid: 's-z', sub: SUB }),
    event(sources.idp, 'user.disabled', person, `disabled ${SHOWN}`),
    // Refused, so that it lies in quarantine.
    event(sources.idp, 'user.disabled', { iss: 'https://not-ours.example', sub: SUB }),
  ];
  // One spells the name with JSON escapes.
  const text = JSON.stringify(plain).replaceAll('é', '\\u00e9');
  expect((await send('application/cloudevents-batch+json', text)).match(/sequenced/g)).toHaveLength(6);
  const { signed } = sources;
  const set = await setOf(key, event(signed, 'token.issued', token(ofToken('at-set'))), audience);
  expect(await send('application/secevent+jwt', set)).toContain('sequenced');
  const batch = (by: typeof key, jti: string): Promise<string> =>
    batchOf(by, [event(signed, 'token.issued', token(ofToken(jti)))], signed, audience);
  expect(await send('application/rescind-batch', await batch(key, 'at-batch'))).toContain('sequenced');
  expect(await send('application/rescind-batch', await batch(other, 'at-refused'))).toContain('unknown-key');
  const refused = await setOf(other, event(signed, 'token.issued', token(ofToken('at-refused'))), audience);
  expect(await send('application/secevent+jwt', refused)).toContain('unknown-key');

  const entry = `/v1/directory/users/${encodeURIComponent(SUB)}?iss=${encodeURIComponent(IDP)}`;
  const put = await fetch(new URL(entry, rescind.url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${rescind.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ userName: SUB, displayName: SHOWN, emails: [{ value: SUB }] }),
  });
  expect([put.status, await put.text()]).toEqual([200, expect.any(String)]);
  for (const selector of [{ user: person }, { user: { iss: RAS, sub: LOCAL } }])
    await admin.post('/v1/revocations', { selector, effect: 'block', reason: `${SHOWN} left; see ${SUB}` });
  await admin.post('/v1/views', {
    name: `About ${SHOWN}`,
    page: '/access',
    search: `sub=${encodeURIComponent(SUB)}`,
    shared: true,
  });
  return admin;
}

async function controlTopic(): Promise<string> {
  const [reader, seal] = [kafka.topicReader(), createControlSeal(topicKey)];
  const found: unknown[] = [];
  for await (const records of reader.read(`${prefix}.control`))
    found.push(...records.map((record) => seal.open(record)!.record.body));
  await reader.stop();
  return JSON.stringify(found);
}

async function otherTopics(): Promise<ReadonlyMap<string, string>> {
  const reader = kafka.topicReader();
  const found = new Map<string, string>();
  for (const topic of [`${prefix}.checkpoints`, `${prefix}.revocations.default`, 'rescind.quarantine']) {
    const said: string[] = [];
    for await (const records of reader.read(topic))
      for (const { key, value, headers } of records)
        said.push(`${key} ${value?.toString('latin1')} ${JSON.stringify(headers)}`);
    found.set(topic, said.join('\n'));
  }
  await reader.stop();
  return found;
}

/** Goes on where the service ended: the topic is written anew a day later, so here somebody else does it at once. */
async function writeTopicAnew(): Promise<void> {
  const { pool, url } = own.database;
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log: testLog(), serves: false });
  await follower.start();
  const over = { anewAfterMs: 0, anewCheckMs: 0, prefix };
  const feeds = createTopicFeeds({
    kafka,
    key: topicKey,
    pool,
    controlLog,
    follower,
    log: testLog(),
    metrics: createMetrics(),
    ...over,
  });
  feeds.start();
  await until(
    'the topic was written anew',
    async () => (await pool.query('SELECT FROM control_names_erased')).rowCount === 0,
  );
  await feeds.stop();
  await follower.stop();
}

it(
  'nothing is left of a person in a dump of the database, the files and the topics, in any spelling',
  async () => {
    const admin = await fill();
    const { pool } = own.database;
    await until(
      'the log is published',
      async () => placesOf(PARTS, new Map([['topic', await controlTopic()]])).length > 0,
    );
    // The planner samples what it stores.
    await pool.query('ANALYZE');
    const before = await dumpOf(pool);
    const named = (dump: ReadonlyMap<string, string>) => [
      ...new Set(placesOf(PARTS, dump).map((one) => one.split(':')[0])),
    ];
    // The search is able to find each of these.
    expect(named(before)).toEqual(
      expect.arrayContaining(
        [
          'payload',
          'entity',
          'directory',
          'control_log',
          'quarantine',
          'rule_version',
          'token',
          'id_jag',
          'saved_view',
          'said',
        ]
          .map((table) => expect.stringMatching(new RegExp(`^public\\.${table}`)))
          .concat(expect.stringMatching('pg_catalog.pg_stats')),
      ),
    );
    const spelled = placesOf(PARTS, before).join('\n');
    for (const as of [
      'as text',
      'as JSON in hexadecimal',
      'as UTF-8 in hexadecimal',
      'as UTF-8 in base64 in hexadecimal',
    ])
      expect(spelled).toContain(as);

    const { id } = await admin.post<{ id: string }>('/v1/erasures', { user: person, reason: 'request 2026-117' });
    const isDone = async () => (await admin.get<{ state: string }>(`/v1/erasures/${id}`)).state === 'done';
    await until('it is done', isDone);
    expect(placesOf(PARTS, await dumpOf(pool))).toEqual([]);
    await own.rescind.stop();
    await writeTopicAnew();
    expect(placesOf(PARTS, await dumpOf(pool))).toEqual([]);
    expect(placesOf(PARTS, await filesOf(join(own.home)))).toEqual([]);
    const topics = new Map([...(await otherTopics()), ['control', await controlTopic()]]);
    expect(topics.get('control')).toContain('erased person ');
    expect(placesOf(PARTS, topics)).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);
