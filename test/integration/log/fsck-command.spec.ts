import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createCheckpointTopic } from '../../../src/feeds/index.js';
import { readPublished } from '../../../src/log/index.js';
import { createKafka } from '../../../src/platform/kafka/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { testBrokers, testLog, uniqueName } from '../../support/services.js';

const IDP = 'https://idp.acme.example';
const EVENTS = 150;

let own: OwnRescind;
let tenant: string;
let url: string;
let bearer: string;
const cleanups = cleanUp(afterAll);

/** A service whose ledger holds events of a source, rules of events and a rule of a person. */
beforeAll(async () => {
  own = await startOwnRescind(cleanups);
  const admin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
  const secretOf = async (id: string, roles: object) =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  await admin.post('/v1/sources', { name: 'idp', uri: IDP, types: ['session.ended'], issuers: [IDP] });
  bearer = join(own.home, 'auditor-key');
  await writeFile(bearer, `${await secretOf('auditor', { audit: {} })}\n`);
  const emitter = await secretOf('idp', { emit: { sources: ['idp'] } });
  const answer = await fetch(`${own.rescind.url}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${emitter}`, 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(
      Array.from({ length: EVENTS }, (_, nth) =>
        buildEvent('session.ended', { source: IDP, data: { iss: IDP, sid: `s-${nth}`, sub: 'alice' } }),
      ),
    ),
  });
  expect(answer.status).toBe(200);
  await admin.post('/v1/revocations', {
    effect: 'block',
    selector: { user: { iss: IDP, sub: 'bob' } },
    reason: 'a spec',
  });
  // Every control record has its entry, and every entry its checkpoint.
  for (let due = true; due; await delay(20)) {
    const { rows } = await own.database.pool.query<{ due: boolean; tenant: string }>(
      `SELECT h.tenant, o.seq < c.seq OR coalesce(k.size, 0) < h.next_ix AS due
         FROM control_outbox o, control_head c, ledger_head h LEFT JOIN ledger_checkpoint k USING (tenant)`,
    );
    due = rows.length === 0 || rows.some((row) => row.due);
    tenant = rows[0]?.tenant ?? '';
  }
  url = `${own.rescind.url}/ledger/${tenant}`;
});

const rescindSays = (...args: string[]) => rescindSaysIn({}, ...args);

async function rescindSaysIn(
  over: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const sink = (name: 'out' | 'err', isTTY: boolean) =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          said[name] += String(chunk);
          done();
        },
      }),
      { isTTY },
    );
  const env = {
    RESCIND_HOME: own.home,
    DATABASE_URL: own.database.url,
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: 'silent',
    ...over,
  };
  const code = await run(args, { env, out: sink('out', false), err: sink('err', true), stdin: Readable.from([]) });
  return { code, ...said };
}

it('a running service is found as it must be, over HTTP and in its database', async () => {
  const served = await rescindSays('fsck', url, '--bearer', bearer);
  expect(served.code).toBe(0);
  expect(served.out).toMatch(/^rescind\.local\/.+\/1, \d+ entries, signed by rescind\.local/);
  expect(served.out).toContain('The key came from the log itself');
  expect(served.out).toMatch(/^\d+ entries, \d+ tiles, [\d.]+ s, [\d,]+ entries\/s$/m);
  expect(served.out).toContain('Not covered: payloads');
  expect(served.err).toMatch(/\[#{24}\] 100 % {2}(\d+) of \1 entries/);

  const stored = await rescindSays('fsck');
  expect(stored).toMatchObject({ code: 0, out: expect.stringContaining('Everything agrees.') });
  expect(stored.out).toMatch(
    new RegExp(
      `^${tenant}: \\d+ entries, 0 of them erased, \\d+ checkpoints, 0 cosignatures, ${EVENTS + 1} rules, 0 lifts$`,
      'm',
    ),
  );
  expect(stored.out).toContain('Not covered: settings');
  expect(stored.out).toContain('KAFKA_BROKERS names no brokers');
});

it('the key that its owner gave is the one that counts', async () => {
  const { out } = await rescindSays('fsck', url, '--bearer', bearer, '--json');
  const answer = JSON.parse(out);
  expect(answer).toMatchObject({ ok: true, key_from: 'log', wrong: null, not_covered: expect.any(Array) });
  const [key] = answer.keys as [string];
  const checked = await rescindSays('fsck', `${url}/`, '--key', key, '--bearer', bearer);
  expect(checked).toMatchObject({ code: 0, out: expect.not.stringContaining('The key came from the log itself') });
  expect(await rescindSays('fsck', '--tenant', tenant, '--key', key)).toMatchObject({ code: 0 });
});

it('a log that cannot be read, or a damaged row, ends with 1 and its name', async () => {
  const refused = await rescindSays('fsck', url);
  expect(refused).toMatchObject({ code: 1, out: expect.stringMatching(/^Wrong: tile\/\S+: answered with 401/m) });
  const { pool } = own.database;
  const at = [tenant];
  await pool.query(
    'UPDATE payload SET bytes = set_bit(bytes, 9, 1 - get_bit(bytes, 9)) WHERE tenant = $1 AND ix = 3',
    at,
  );
  const damaged = await rescindSays('fsck', '--json');
  expect(damaged.code).toBe(1);
  expect(JSON.parse(damaged.out)).toMatchObject({
    ok: false,
    ledgers: [{ tenant, wrong: [{ kind: 'payload', place: 'payload 3', count: 1 }] }],
  });
  expect((await rescindSays('fsck')).out).toContain('Wrong: payload 3: is not what its entry commits to');
  await pool.query(
    'UPDATE payload SET bytes = set_bit(bytes, 9, 1 - get_bit(bytes, 9)) WHERE tenant = $1 AND ix = 3',
    at,
  );
});

it('with Kafka the topic is read, too, and a topic that lacks the newest checkpoint is named', async () => {
  const env = { KAFKA_BROKERS: testBrokers().join(','), TOPIC_PREFIX: uniqueName('fsck') };
  const lacking = await rescindSaysIn(env, 'fsck');
  expect(lacking.code).toBe(1);
  expect(lacking.out).toContain(`Wrong: ${env.TOPIC_PREFIX}.checkpoints: keeps no checkpoint`);
  const kafka = createKafka({ brokers: testBrokers(), clientId: 'spec', log: testLog() });
  const topic = createCheckpointTopic({ kafka, prefix: env.TOPIC_PREFIX });
  cleanups.push(() => topic.stop());
  const { note, incarnation, size } = (await readPublished(own.database.pool, tenant))!;
  await topic.keep(tenant, { note, incarnation, size });
  const kept = await rescindSaysIn(env, 'fsck');
  expect(kept).toMatchObject({ code: 0, out: expect.stringContaining('Everything agrees.') });
  expect(kept.out).not.toContain('KAFKA_BROKERS');
});

it('a file of witnesses that cannot be read is refused', async () => {
  const refused = await rescindSaysIn({ WITNESSES: join(own.home, 'none') }, 'fsck');
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('WITNESSES') });
});

it.each([
  [['fsck', 'https://log.example/', '--witness', 'nonsense']],
  [['fsck', 'ftp://log.example']],
  [['fsck', 'https://log.example/?x']],
  [['fsck', 'https://log.example/', '--key', 'nonsense']],
  [['fsck', 'https://log.example/', '--tenant', 'x']],
  [['fsck', '--bearer', 'x']],
  [['fsck', '--tenant', 'acme']],
  [['fsck', '--key', 'nonsense']],
])('%j is wrongly called', async (args) => {
  expect(await rescindSays(...args)).toMatchObject({ code: 2, out: '' });
});

it('a bearer does not cross a network in the clear', async () => {
  expect(await rescindSays('fsck', 'http://log.example/', '--bearer', bearer)).toMatchObject({
    code: 2,
    err: expect.stringContaining('https'),
  });
});
