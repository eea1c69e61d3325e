import { randomUUID } from 'node:crypto';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE, eventType } from '../../src/contracts/index.js';
import { IDP } from './events.js';
import { quantile, type Row } from './report.js';
import { atRate, order, REST_MS } from './revocation-latency.js';
import { askAll, commitRows, requestOf, startService, type RevocationService } from './revocation-service.js';

const NODES = 3;
const ROUNDS = 6;
const ROUND_MS = 2_000;
const RULE_EVENTS_PER_SECOND = 1_000;
const EVENTS_A_POST = 50;
/** Rounds of the two kinds take turns, so that whatever else the machine does falls on both. */
const KINDS = ['quiet', 'beside'] as const;

/** `POST /v1/revocations` with three nodes, one after the other, quiet and beside rule events; the floor is a bare durable commit beside the same. */
export async function run(): Promise<readonly Row[]> {
  const service = await startService(NODES);
  try {
    const own = { quiet: [] as number[], beside: [] as number[] };
    const floor = { quiet: [] as number[], beside: [] as number[] };
    const rates: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const kind of KINDS) {
        const measured = await measure(service, kind === 'beside');
        if (round === 0) continue;
        own[kind].push(...measured.own);
        floor[kind].push(...measured.floor);
        if (kind === 'beside') rates.push(measured.rate);
      }
    }
    const rate = Math.round(rates.reduce((sum, one) => sum + one, 0) / rates.length);
    const quietP99 = quantile(own.quiet, 0.99);
    return KINDS.map((kind) => {
      const [p50, p99, floorP50, floorP99] = [
        quantile(own[kind], 0.5),
        quantile(own[kind], 0.99),
        quantile(floor[kind], 0.5),
        quantile(floor[kind], 0.99),
      ];
      const beside =
        kind === 'beside'
          ? `beside ${rate} rule events/s; p99 ${(p99 / quietP99).toFixed(1)} x quiet (goal: at most 3)`
          : 'quiet';
      const note = `${NODES} nodes, ${own[kind].length} orders ${beside}; floor: a bare durable one-row commit beside the same, p50 ${floorP50.toFixed(2)} ms, p99 ${floorP99.toFixed(2)} ms`;
      return {
        name: `revocation.beside-events.${kind}`,
        value: p99,
        unit: 'ms',
        floor: floorP99,
        ratio: p99 / floorP99,
        p50,
        p99,
        note,
      };
    });
  } finally {
    await service.stop();
  }
}

async function measure(
  service: RevocationService,
  isBeside: boolean,
): Promise<{ readonly own: readonly number[]; readonly floor: readonly number[]; readonly rate: number }> {
  let loading = true;
  const beganAt = performance.now();
  const load = isBeside ? emitRules(service, () => loading) : Promise.resolve(0);
  const floorUntil = performance.now() + ROUND_MS;
  const floor = await commitRows(service.pool, 1, () => performance.now() < floorUntil, REST_MS);
  const until = performance.now() + ROUND_MS;
  const next = (): Buffer | undefined => (performance.now() < until ? order(service) : undefined);
  const own = await askAll({ ports: service.ports, connections: 1, next, status: 201, restMs: REST_MS });
  loading = false;
  return { own, floor, rate: (await load) / ((performance.now() - beganAt) / 1000) };
}

/** Half of them end sessions, half disable users; to one node. Says how many were sent. */
async function emitRules({ ports, keys }: RevocationService, hasTime: () => boolean): Promise<number> {
  let sent = 0;
  await atRate(RULE_EVENTS_PER_SECOND, hasTime, async (goal) => {
    const next = (): Buffer | undefined => {
      if (sent + EVENTS_A_POST > goal) return undefined;
      sent += EVENTS_A_POST;
      return requestOf(
        '/events',
        `Bearer ${keys.emitter}`,
        CLOUDEVENTS_BATCH_MEDIA_TYPE,
        JSON.stringify(Array.from({ length: EVENTS_A_POST }, ruleEvent)),
      );
    };
    await askAll({ ports: ports.slice(0, 1), connections: 2, next, status: 200 });
    return sent;
  });
  return sent;
}

function ruleEvent(_: unknown, nth: number): object {
  const sub = `u-${randomUUID()}`;
  const said =
    nth % 2 === 0
      ? { type: eventType('session.ended'), data: { iss: IDP, sub, sid: sub } }
      : { type: eventType('user.disabled'), data: { iss: IDP, sub } };
  return { specversion: '1.0', source: `${IDP}/events`, id: randomUUID(), time: new Date().toISOString(), ...said };
}
