import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent, IntakeResult } from '../../../src/contracts/index.js';
import { buildEvent, createHttpEmitter } from '../../../src/emit/index.js';
import { createLedgerDirectory, createLedgerKeeper } from '../../../src/log/index.js';
import { parseEvidence, parseVerifierKey, verifyEvidence, type EvidenceFile } from '../../../src/merkle/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { hold } from '../../support/hold.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { testLog } from '../../support/services.js';
import { batchOf, makeProducerKey, setOf } from '../../support/signed.js';

const IDP = 'https://idp.acme.example';
const SINGLE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

type Stored = { readonly index: string; readonly state?: string; readonly evidence?: EvidenceFile | null };

let own: OwnRescind;
let emitter: string;
let vkey: string;
let audience: string;
const cleanups = cleanUp(afterAll);
const key = await makeProducerKey('idp-1');

beforeAll(async () => {
  own = await startOwnRescind(cleanups);
  const admin: RescindAdmin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
  ({ audience } = await admin.post<{ audience: string }>('/v1/sources', {
    name: 'idp',
    uri: IDP,
    types: ['session.ended'],
    issuers: [IDP],
    jwks: { keys: [key.publicJwk] },
  }));
  emitter = (await admin.post<{ secret: string }>('/v1/callers', { id: 'idp', roles: { emit: { sources: ['idp'] } } }))
    .secret;
  await post(SINGLE, ended());
  vkey = (await admin.get<{ keys: { key: string }[] }>('/v1/ledger')).keys[0]!.key;
});

const EVENTS = "SELECT FROM entry WHERE type = 'dev.rescind.session.ended.v1'";

async function post(
  type: string,
  body: unknown,
  wait: string | null = 'published',
  { url, secret }: { readonly url: string; readonly secret: string } = { url: own.rescind.url, secret: emitter },
) {
  const answer = await fetch(`${url}/events${wait === null ? '' : `?wait=${wait}`}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as unknown };
}

let count = 0;
const ended = (): CloudEvent => {
  count += 1;
  return buildEvent('session.ended', {
    source: IDP,
    id: `e-${count}`,
    data: { iss: IDP, sid: `s-${count}`, sub: 'alice' },
  });
};

/** Checks a result with the public key alone, and that its evidence is of the event. */
async function holds(result: Stored, event: CloudEvent, logKey = vkey): Promise<void> {
  const text = `${JSON.stringify(result.evidence)}\n`;
  const steps = await verifyEvidence(text, [parseVerifierKey(logKey)!]);
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  const { payload, proof } = parseEvidence(text)!;
  expect(String(proof.index)).toBe(result.index);
  expect(payload!.bytes.toString()).toContain(event.id);
}

describe('wait=published', () => {
  it('answers one event with its evidence', async () => {
    const event = ended();
    const { status, body } = await post(SINGLE, event);
    expect([status, (body as Stored).state]).toEqual([200, 'published']);
    await holds(body as Stored, event);
  });

  it('answers a batch in order, with duplicates and refused events among them', async () => {
    const [known, ...fresh] = [ended(), ended(), ended()];
    const { index } = (await post(SINGLE, known, null)).body as Stored;
    const other = { ...ended(), source: 'https://nobody.example' };
    const { status, body } = await post(BATCH, [fresh[0], known, other, fresh[1]]);
    const results = body as (Stored & IntakeResult)[];
    expect(status).toBe(200);
    expect(results[1]).toMatchObject({ duplicate: true, index });
    expect(results[2]).toEqual({ error: 'unknown-source', detail: expect.any(String) });
    await holds(results[0]!, fresh[0]!);
    await holds(results[1]!, known!);
    await holds(results[3]!, fresh[1]!);
  });

  it('answers a thousand events at once', async () => {
    const events = Array.from({ length: 1_000 }, ended);
    const { status, body } = await post(BATCH, events);
    expect(status).toBe(200);
    for (const nth of [0, 499, 999]) await holds((body as Stored[])[nth]!, events[nth]!);
    expect((body as Stored[]).every(({ evidence }) => evidence)).toBe(true);
  });

  it('answers signed events without what proves the signature', async () => {
    const [alone, ...more] = [ended(), ended(), ended()];
    const set = await post('application/secevent+jwt', await setOf(key, alone!, audience));
    expect((set.body as Stored).evidence).toMatchObject({ payload: { mode: 'set' }, signed: null });
    const batch = await post('application/rescind-batch', await batchOf(key, more, IDP, audience));
    for (const [nth, result] of (batch.body as Stored[]).entries()) await holds(result, more[nth]!);
  });

  it('is what an emitter of the library may ask for', async () => {
    const emit = createHttpEmitter({ url: own.rescind.url, credentials: { bearer: emitter }, wait: 'published' });
    const events = Array.from({ length: 1_000 }, ended);
    const results = await emit.emit(events);
    for (const nth of [0, 999]) await holds(results[nth] as Stored, events[nth]!);
  });

  it('refuses another word, and then stores nothing', async () => {
    const event = ended();
    expect(await post(SINGLE, event, 'integrated')).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await post(SINGLE, event, 'published&wait=published')).toMatchObject({ status: 400 });
    expect((await post(SINGLE, event, null)).body).toMatchObject({ state: 'sequenced' });
  });

  it('answers a refused event at once, as ever', async () => {
    const event = { ...ended(), source: 'https://nobody.example' };
    expect(await post(SINGLE, event)).toMatchObject({ status: 403, body: { error: 'unknown-source' } });
  });

  it('adds nothing to the answer of who does not wait', async () => {
    expect((await post(SINGLE, ended(), null)).body).not.toHaveProperty('evidence');
  });

  it('says that the event is stored if nothing is published in time', async () => {
    // The keeper waits for the row.
    const letGo = await hold(own.database.pool, 'SELECT FROM ledger_checkpoint FOR UPDATE');
    const event = ended();
    try {
      const { status, body } = await post(SINGLE, event);
      expect(status).toBe(202);
      expect(body).toEqual({ index: expect.any(String), state: 'sequenced', evidence: null });
      const batch = await post(BATCH, [event, ended()]);
      expect(batch).toMatchObject({ status: 202, body: [{ duplicate: true, evidence: null }, { evidence: null }] });
    } finally {
      await letGo();
    }
    const again = await post(SINGLE, event);
    expect(again).toMatchObject({ status: 200, body: { duplicate: true } });
    await holds(again.body as Stored, event);
  });

  it('says so too if what is published cannot be read', async () => {
    await own.database.pool.query('ALTER TABLE ledger_checkpoint RENAME TO away');
    const event = ended();
    try {
      expect(await post(SINGLE, event)).toMatchObject({ status: 202, body: { state: 'sequenced', evidence: null } });
    } finally {
      await own.database.pool.query('ALTER TABLE away RENAME TO ledger_checkpoint');
    }
    await holds((await post(SINGLE, event)).body as Stored, event);
  });

  it('waits for another process that publishes, and is answered when its own process stops', async () => {
    const apart = await startOwnRescind(cleanups, { env: { ROLES: 'serve,ingest' } });
    const admin = createRescindAdmin(apart.rescind.url, apart.rescind.adminKey!);
    await admin.post('/v1/sources', { name: 'idp', uri: IDP, types: ['session.ended'], issuers: [IDP] });
    const { secret } = await admin.post<{ secret: string }>('/v1/callers', {
      id: 'idp',
      roles: { emit: { sources: ['idp'] } },
    });
    const to = { url: apart.rescind.url, secret };
    expect(await post(SINGLE, ended(), 'published', to)).toMatchObject({ status: 202, body: { evidence: null } });
    const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const keeper = createLedgerKeeper({
      pool: apart.database.pool,
      logOrigin: 'rescind.local',
      directory: createLedgerDirectory(directory),
      anchors: [],
      log: testLog(),
      metrics: createMetrics(),
    });
    cleanups.push(() => keeper.stop());
    keeper.start();
    const event = ended();
    const { status, body } = await post(SINGLE, event, 'published', to);
    expect(status).toBe(200);
    const { keys } = await admin.get<{ keys: { key: string }[] }>('/v1/ledger');
    await holds(body as Stored, event, keys[0]!.key);
    await keeper.stop();
    const waits = post(SINGLE, ended(), 'published', to);
    while ((await apart.database.pool.query(EVENTS)).rowCount !== 3) await delay(20);
    const before = Date.now();
    await apart.rescind.stop();
    expect(await waits).toMatchObject({ status: 202, body: { evidence: null } });
    expect(Date.now() - before).toBeLessThan(3_000);
  });
});
