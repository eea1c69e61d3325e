import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from '../../../src/control/index.js';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { accept, type Arrived } from '../../../src/ingest/index.js';
import type { Outcome } from '../../../src/ingest/append/submission.js';
import { ADMIN_CALLER } from '../../../src/registry/index.js';
import { createStage, fromIdp, idJag, type Stage } from '../../support/stage.js';

/** A caller whose events the database refuses, beside one whose events are good, at one appender. */
let stage: Stage;
let hostile: Caller;
let honest: Caller;
beforeAll(async () => {
  stage = await createStage();
  for (const id of ['hostile', 'honest'])
    await stage.registry.createCaller(
      { id: ADMIN_CALLER, tenant: stage.tenant },
      { id, roles: { emit: { sources: ['idp'] } } },
    );
  hostile = stage.follower.state.caller('hostile')!;
  honest = stage.follower.state.caller('honest')!;
  // 23514: a check that the schema of the event does not know.
  await stage.database.pool.query(
    `ALTER TABLE id_jag ADD CONSTRAINT spec CHECK (facts->>'jti' NOT LIKE 'poison%') NOT VALID`,
  );
});
afterAll(() => stage.stop());

/** Hands over in one breath: which of several waits together with which is certain. */
function post(caller: Caller, events: readonly CloudEvent[]): Promise<readonly Outcome[]> {
  const arrived = (event: CloudEvent): Arrived => ({
    mode: 'batch',
    headers: [],
    bytes: Buffer.from(JSON.stringify(event)),
    door: { kind: 'http', caller },
  });
  return stage.appender.submit({
    events: events.map((event) => accept(arrived(event), stage.follower.state, Date.now())),
  });
}

let nth = 0;
const event = (name: string): CloudEvent => fromIdp('id-jag.issued', idJag({ jti: `${name}-${nth++}` }));
const good = (count: number): CloudEvent[] => Array.from({ length: count }, () => event('good'));
const spoilt = (count: number): CloudEvent[] =>
  Array.from({ length: count }, (_, n) => event(n % 4 === 0 ? 'poison' : 'hidden'));

const stored = { index: expect.any(BigInt), state: 'sequenced' };
const refused = { state: 'rejected', code: 'refused-by-database', detail: 'the database refused it' };
const outcomeOfSpoilt = (count: number): unknown[] =>
  Array.from({ length: count }, (_, n) => (n % 4 === 0 ? refused : stored));

describe('events that the database refuses', () => {
  it('are searched for after the events of others in the same batch are durable', async () => {
    const order: string[] = [];
    // The first is written alone; the others wait together and are the next batch.
    const first = post(honest, good(1));
    const bad = post(hostile, spoilt(64)).then((results) => (order.push('hostile'), results));
    const beside = post(honest, good(10)).then((results) => (order.push('honest'), results));
    await first;
    expect(await beside).toEqual(good(10).map(() => stored));
    const later = await post(honest, good(1));
    order.push('honest, later');
    expect(later).toEqual([stored]);
    expect(await bad).toEqual(outcomeOfSpoilt(64));
    expect(order).toEqual(['honest', 'honest, later', 'hostile']);
  });

  it('delay nobody while their sender sends more of them', async () => {
    const order: string[] = [];
    const bad = Array.from({ length: 5 }, () =>
      post(hostile, spoilt(32)).then((results) => (order.push('hostile'), results)),
    );
    const fine = Array.from({ length: 3 }, () =>
      post(honest, good(5)).then((results) => (order.push('honest'), results)),
    );
    for (const results of await Promise.all(fine)) expect(results).toEqual(good(5).map(() => stored));
    for (const results of await Promise.all(bad)) expect(results).toEqual(outcomeOfSpoilt(32));
    expect(order.slice(0, 3)).toEqual(['honest', 'honest', 'honest']);
  });

  it('no longer set their sender apart once a batch of it is good', async () => {
    expect(await post(hostile, [event('fine')])).toEqual([stored]);
    const both = await Promise.all([post(honest, good(1)), post(hostile, [event('fine')]), post(honest, good(1))]);
    expect(both).toEqual([[stored], [stored], [stored]]);
  });
});
