import { randomBytes } from 'node:crypto';
import { quantile, type Row } from './report.js';
import { askAll, basic, commitRows, requestOf, startService, type RevocationService } from './revocation-service.js';

const ROUNDS = 5;
const ROUND_MS = 2_000;
/** Between one order and the next, so that they are orders of people and do not share statements. */
const REST_MS = 10;
const INTROSPECTIONS_PER_SECOND = 1_000;
const INTROSPECTING_CONNECTIONS = 8;
const TOKENS = 2_000;
const FORM = 'application/x-www-form-urlencoded';

/** `POST /v1/revocations` on one node, one after the other, beside a bare durable one-row commit under the same load. */
export async function run(): Promise<readonly Row[]> {
  const service = await startService();
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
  const load = tokens ? introspect(service, tokens, () => loading) : Promise.resolve(0);
  const beganAt = performance.now();
  const own: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const floorUntil = performance.now() + ROUND_MS;
    const committed = await commitRows(service.pool, 1, () => performance.now() < floorUntil, REST_MS);
    const until = performance.now() + ROUND_MS;
    const next = (): Buffer | undefined => (performance.now() < until ? order(service) : undefined);
    const answered = await askAll({ port: service.port, connections: 1, next, status: 201, restMs: REST_MS });
    if (round === 0) continue;
    own.push(...answered);
    floor.push(...committed);
  }
  loading = false;
  const asked = (await load) / ((performance.now() - beganAt) / 1000);
  const [p50, p99, floorP50, floorP99] = [quantile(own, 0.5), quantile(own, 0.99), quantile(floor, 0.5), quantile(floor, 0.99)];
  const note = `one node, ${own.length} orders at ${Math.round(asked)} introspections/s; floor: a bare durable one-row commit under the same load, p50 ${floorP50.toFixed(2)} ms, p99 ${floorP99.toFixed(2)} ms; p99 ${(p99 / floorP99).toFixed(1)} × its`;
  return { name: `revocation.latency.${name}`, value: p50, unit: 'ms', floor: floorP50, ratio: p50 / floorP50, p50, p99, note };
}

let serial = 0;
function order({ keys }: RevocationService): Buffer {
  const body = JSON.stringify({ selector: { user: { iss: 'https://idp.bench.example', sub: `stopped-${(serial += 1)}` } }, reason: 'bench' });
  return requestOf('/v1/revocations', `Bearer ${keys.analyst}`, 'application/json', body);
}

/** So many a second, spread evenly; says how many. */
async function introspect({ port, keys }: RevocationService, tokens: readonly string[], hasTime: () => boolean): Promise<number> {
  const authorization = basic('api', keys.api);
  let asked = 0;
  const beganAt = performance.now();
  const due = (): number => ((performance.now() - beganAt) / 1000) * INTROSPECTIONS_PER_SECOND;
  while (hasTime()) {
    const goal = due();
    if (asked >= goal) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      continue;
    }
    const next = (): Buffer | undefined => (asked < goal ? requestOf('/introspect', authorization, FORM, `token=${tokens[asked++ % tokens.length]!}`) : undefined);
    await askAll({ port, connections: INTROSPECTING_CONNECTIONS, next, status: 200 });
  }
  return asked;
}
