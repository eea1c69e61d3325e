import { expect } from '@jest/globals';
import type { Source } from '../../src/control/index.js';
import type { Deployment } from './deployment.js';
import { until } from './deployment.js';
import { readPayload, recount, type PayloadRow, type Said } from './recount.js';
import { readProjections } from './stored-projections.js';
import { makeTraffic, type Sent } from './traffic.js';

/** Records of one send, and records that wait at most: so that a fault finds some written, some on their way and some not sent. */
const SLICE = 40;
const BACKLOG = 200;

export interface Sending {
  readonly sent: readonly Sent[];
  /** The part of `sent` that is still to be sent. */
  readonly pending: Sent[];
}

/** Makes the events that are sent to a deployment, and checks the conditions that must hold after any fault. */
export function createJudge(deployment: Deployment) {
  async function rows<T extends object>(sql: string): Promise<T[]> {
    return (await deployment.pool.query<T>(sql, [deployment.tenant])).rows;
  }

  /** Records that are dealt with: their partition's offset is beyond them. */
  async function dealtWith(): Promise<number> {
    const { rows: offsets } = await deployment.pool.query<{ n: string | null }>(
      'SELECT sum(next_offset) AS n FROM kafka_offset',
    );
    return Number(offsets[0]!.n ?? 0);
  }

  /** Sends on until the process is in the middle of a batch, with at least so many records dealt with before. */
  async function sendUntilMidBatch({ sent, pending }: Sending, atLeast: number): Promise<void> {
    while (pending.length > 0) {
      await deployment.send(pending.splice(0, SLICE));
      await until(async () => sent.length - pending.length - (await dealtWith()) < BACKLOG);
      if ((await dealtWith()) < atLeast) continue;
      for (let ask = 0; ask < 20; ask += 1) if (await deployment.isWriting()) return;
    }
    throw new Error('everything was dealt with before a batch was seen in the middle');
  }

  async function readEvents(): Promise<Said[]> {
    const payloads = await rows<PayloadRow>(
      `SELECT ix, type, source, mode, attributes, bytes FROM entry JOIN payload USING (tenant, ix) WHERE tenant = $1 AND mode <> 'own' ORDER BY entry.ix`,
    );
    return payloads.map(readPayload);
  }

  /** Every event of the traffic once and nothing else, and no partition that stands still; `others`: further sources in it. */
  async function expectWhole(traffic: readonly Sent[], others: readonly Source[] = []): Promise<void> {
    await expectHeld(traffic, others);
    const rivals = traffic.filter(({ kind }) => kind === 'rival').length / 2;
    const bad = traffic.filter(({ kind }) => kind === 'bad').length;
    const [quarantine] = await rows(
      `SELECT count(*) FILTER (WHERE code <> 'conflict')::int AS bad, count(*) FILTER (WHERE code = 'conflict')::int > 0 AS conflicts,
              count(*) = count(DISTINCT (topic, partition, record_offset, digest)) AS once
       FROM quarantine WHERE tenant = $1 AND door = 'kafka'`,
    );
    expect(quarantine).toEqual({ bad, conflicts: rivals > 0, once: true });
  }

  /** The same but for the quarantine, where a bad record that is sent again is another. */
  async function expectHeld(traffic: readonly Sent[], others: readonly Source[] = []): Promise<void> {
    await expectNothingWaits();
    const [ledger] = await rows(
      `SELECT count(*) = max(ix) + 1 AND min(ix) = 0 AND max(ix) + 1 = (SELECT next_ix FROM ledger_head WHERE tenant = $1) AS dense,
              count(*) = (SELECT count(*) FROM payload WHERE tenant = $1) AND count(*) = (SELECT count(*) FROM dedupe WHERE tenant = $1) AS whole,
              bool_and(arrival >= before) AS monotone
       FROM (SELECT ix, arrival, lag(arrival, 1, 0) OVER (ORDER BY ix) AS before FROM entry WHERE tenant = $1) e`,
    );
    expect(ledger).toEqual({ dense: true, whole: true, monotone: true });

    const events = await readEvents();
    const sentIds = new Set(traffic.flatMap(({ event }) => (event ? [event.id] : [])));
    expect(events.map(({ id }) => id).sort()).toEqual([...sentIds].sort());

    const resources = new Map(
      [deployment.idp, deployment.chat, ...others].map((source) => [source.id, source.resources]),
    );
    expectSame(await readProjections(deployment.pool, deployment.tenant), recount(events, resources));
    await expectRulesOnce(events);
  }

  const entries = async (): Promise<number> =>
    Number((await rows<{ n: string }>('SELECT next_ix AS n FROM ledger_head WHERE tenant = $1'))[0]?.n ?? 0);

  async function expectNothingWaits(): Promise<void> {
    for (const { topic } of [deployment.idp, deployment.chat]) {
      const ends = (await deployment.admin.fetchTopicOffsets(topic))
        .filter(({ high }) => high !== '0')
        .map(({ partition, high }) => ({ partition, next_offset: high, stopped: null }));
      const { rows: stored } = await deployment.pool.query(
        'SELECT partition, next_offset, stopped FROM kafka_offset WHERE topic = $1 ORDER BY partition',
        [topic],
      );
      expect(stored).toEqual(ends.sort((a, b) => a.partition - b.partition));
    }
  }

  /** Every rule event has ordered its rule, every contradiction its block, and each once; each order has its ledger entry. */
  async function expectRulesOnce(events: readonly Said[]): Promise<void> {
    const ordered = await rows<{ event: string | null; n: number }>(
      `SELECT body->'origin'->>'event' AS event, count(*)::int AS n FROM control_log WHERE tenant = $1 AND kind IN ('rule.ordered', 'subject.enabled') GROUP BY 1`,
    );
    const ofEvents = new Map(ordered.flatMap(({ event, n }) => (event === null ? [] : [[event, n] as const])));
    const isRuleEvent = (name: string): boolean =>
      name === 'token.revoked' || name === 'session.ended' || name.startsWith('connection.');
    const expected = new Map(events.filter(({ name }) => isRuleEvent(name)).map(({ id }) => [id, 1]));
    expect(ofEvents).toEqual(expected);
    const [contradicted] = await rows<{ n: number }>(
      `SELECT ((SELECT count(*) FROM token WHERE tenant = $1 AND conflict_ix IS NOT NULL)
             + (SELECT count(*) FROM id_jag WHERE tenant = $1 AND conflict_ix IS NOT NULL))::int AS n`,
    );
    expect(contradicted!.n).toBeGreaterThan(0);
    expect(ordered.find(({ event }) => event === null)?.n).toBe(contradicted!.n);
    const [owed] = await rows<{ same: boolean }>(
      `SELECT (SELECT count(*) FROM entry WHERE tenant = $1 AND type = 'dev.rescind.revocation.ordered.v1')
            = (SELECT count(*) FROM control_log WHERE tenant = $1 AND kind = 'rule.ordered') AS same`,
    );
    expect(owed).toEqual({ same: true });
  }

  const everythingDealtWith = async (traffic: readonly Sent[]): Promise<boolean> =>
    (await dealtWith()) >= traffic.length;
  const outboxPaid = async (): Promise<boolean> =>
    (await deployment.pool.query('SELECT 1 FROM control_outbox o, control_head h WHERE o.seq = h.seq')).rowCount === 1;

  const traffic = (seed: number, lineages: number): Sent[] =>
    makeTraffic({ seed, lineages, idpUri: deployment.idp.uri, chatUri: deployment.chat.uri });

  return { dealtWith, entries, sendUntilMidBatch, expectWhole, expectHeld, everythingDealtWith, outboxPaid, traffic };
}

/** A table at a time, in one order, so that a failure shows a row and not everything. */
function expectSame(stored: Awaited<ReturnType<typeof readProjections>>, counted: ReturnType<typeof recount>): void {
  const sorted = (versions: readonly { from: string }[]): object[] =>
    [...versions].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  expect(stored.tokens).toEqual(counted.tokens);
  expect(stored.idJags).toEqual(counted.idJags);
  expect(stored.accesses).toEqual(counted.accesses);
  expect(stored.firstUse).toEqual(counted.firstUse);
  for (const table of Object.keys(counted.uses) as (keyof typeof counted.uses)[]) {
    expect({ [table]: stored.uses[table] }).toEqual({ [table]: counted.uses[table] });
    expect(Object.keys(counted.uses[table]).length).toBeGreaterThan(0);
  }
  expect(sorted(stored.grants)).toEqual(sorted(counted.grants));
  expect(sorted(stored.connections)).toEqual(sorted(counted.connections));
  for (const table of Object.values(counted)) expect(Object.keys(table).length).toBeGreaterThan(0);
}
