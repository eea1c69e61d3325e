import { randomBytes } from 'node:crypto';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { quantile, type Row } from './report.js';
import {
  askAll,
  basic,
  commitRows,
  requestOf,
  startService,
  tokenEvents,
  type RevocationService,
} from './revocation-service.js';

const NODES = 3;
const ROUNDS = 5;
const ROUND_MS = 2_000;
/** Between one order and the next, so that they are orders of people and do not share statements. */
export const REST_MS = 10;
const INTROSPECTIONS_PER_SECOND = 1_000;
const INTROSPECTING_CONNECTIONS = 9;
const EVENTS_PER_SECOND = 2_000;
const EVENTS_A_POST = 100;
const TOKENS = 2_000;
const FORM = 'application/x-www-form-urlencoded';

/** `POST /v1/revocations` with three nodes, one after the other, beside a bare durable one-row commit under the same load. */
export async function run(): Promise<readonly Row[]> {
  const service = await startService(NODES);
  try {
    const tokens = Array.from({ length: TOKENS }, () => `opaque-${randomBytes(24).toString('base64url')}`);
    await service.record(tokens);
    return [await measure(service, 'quiet', undefined), await measure(service, 'loaded', tokens)];
  } finally {
    await service.stop();
  }
}

async function measure(service: RevocationService, name: string, tokens: readonly string[] | undefined): Promise<Row> {
  let loading = true;
  const load = tokens
    ? Promise.all([introspect(service, tokens, () => loading), emit(service, () => loading)])
    : Promise.resolve([0, 0]);
  const beganAt = performance.now();
  const own: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const floorUntil = performance.now() + ROUND_MS;
    const committed = await commitRows(service.pool, 1, () => performance.now() < floorUntil, REST_MS);
    const until = performance.now() + ROUND_MS;
    const next = (): Buffer | undefined => (performance.now() < until ? order(service) : undefined);
    const answered = await askAll({ ports: service.ports, connections: 1, next, status: 201, restMs: REST_MS });
    if (round === 0) continue;
    own.push(...answered);
    floor.push(...committed);
  }
  loading = false;
  const [asked, emitted] = (await load).map((count) => Math.round(count / ((performance.now() - beganAt) / 1000)));
  const [p50, p99, floorP50, floorP99] = [
    quantile(own, 0.5),
    quantile(own, 0.99),
    quantile(floor, 0.5),
    quantile(floor, 0.99),
  ];
  const note = `${NODES} nodes, ${own.length} orders at ${asked} introspections/s and ${emitted} events/s; floor: a bare durable one-row commit under the same load, p50 ${floorP50.toFixed(2)} ms, p99 ${floorP99.toFixed(2)} ms; p99 ${(p99 / floorP99).toFixed(1)} × its`;
  return {
    name: `revocation.latency.${name}`,
    value: p50,
    unit: 'ms',
    floor: floorP50,
    ratio: p50 / floorP50,
    p50,
    p99,
    note,
  };
}

let serial = 0;
export function order({ keys }: RevocationService): Buffer {
  const body = JSON.stringify({
    selector: { user: { iss: 'https://idp.bench.example', sub: `stopped-${(serial += 1)}` } },
    reason: 'bench',
  });
  return requestOf('/v1/revocations', `Bearer ${keys.analyst}`, 'application/json', body);
}

/** Introspects at a steady rate while there is time. Returns the number of questions. */
async function introspect(
  { ports, keys }: RevocationService,
  tokens: readonly string[],
  hasTime: () => boolean,
): Promise<number> {
  const authorization = basic('api', keys.api);
  let asked = 0;
  await atRate(INTROSPECTIONS_PER_SECOND, hasTime, async (goal) => {
    const next = (): Buffer | undefined =>
      asked < goal
        ? requestOf('/introspect', authorization, FORM, `token=${tokens[asked++ % tokens.length]!}`)
        : undefined;
    await askAll({ ports, connections: INTROSPECTING_CONNECTIONS, next, status: 200 });
    return asked;
  });
  return asked;
}

/** Token events in small batches, to one node; says how many. */
async function emit({ ports, keys }: RevocationService, hasTime: () => boolean): Promise<number> {
  let sent = 0;
  await atRate(EVENTS_PER_SECOND, hasTime, async (goal) => {
    const next = (): Buffer | undefined => {
      if (sent + EVENTS_A_POST > goal) return undefined;
      sent += EVENTS_A_POST;
      const texts = Array.from({ length: EVENTS_A_POST }, () => randomBytes(24).toString('base64url'));
      return requestOf('/events', `Bearer ${keys.emitter}`, CLOUDEVENTS_BATCH_MEDIA_TYPE, tokenEvents(texts));
    };
    await askAll({ ports: ports.slice(0, 1), connections: 2, next, status: 200 });
    return sent;
  });
  return sent;
}

/** Calls `work` with how many should be done by now, whenever more are due; it answers how many are. */
export async function atRate(
  perSecond: number,
  hasTime: () => boolean,
  work: (goal: number) => Promise<number>,
): Promise<void> {
  const beganAt = performance.now();
  let done = 0;
  while (hasTime()) {
    const goal = ((performance.now() - beganAt) / 1000) * perSecond;
    if (done < goal) done = await work(goal);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
