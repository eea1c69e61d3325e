import { randomBytes } from 'node:crypto';
import { cpuOf } from './introspection-load.js';
import { median, quantile, type Row } from './report.js';
import { askAll, basic, commitRows, requestOf, startService } from './revocation-service.js';

/** Nodes, and connections in all. */
const SIZES = [
  [1, 64],
  [3, 16],
  [3, 64],
] as const;
const ROUNDS = 5;
const ROUND_MS = 1_500;
const TOKENS = 40_000;
const FORM = 'application/x-www-form-urlencoded';

/** RFC 7009 calls on one node and on three, each for a token of its own that is recorded, each answered when it is in force. */
export async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [nodes, connections] of SIZES) rows.push(await measure(nodes, connections));
  return rows;
}

async function measure(nodes: number, connections: number): Promise<Row> {
  const service = await startService(nodes);
  try {
    const tokens = Array.from({ length: TOKENS }, () => `opaque-${randomBytes(24).toString('base64url')}`);
    await service.record(tokens);
    const authorization = basic('wiki', service.keys.wiki);
    let used = 0;
    const rates: number[] = [];
    const floors: number[] = [];
    const latencies: number[] = [];
    const cpu: number[] = [];
    const cpuOfAll = async (): Promise<number> =>
      (await Promise.all(service.children.map(cpuOf))).reduce((sum, each) => sum + each, 0);
    for (let round = 0; round <= ROUNDS; round++) {
      const floorUntil = performance.now() + ROUND_MS;
      const committed = await commitRows(service.pool, connections, () => performance.now() < floorUntil);
      const until = performance.now() + ROUND_MS;
      const before = await cpuOfAll();
      const next = (): Buffer | undefined =>
        performance.now() < until && used < tokens.length
          ? requestOf('/revoke', authorization, FORM, `token=${tokens[used++]!}`)
          : undefined;
      const beganAt = performance.now();
      const answered = await askAll({ ports: service.ports, connections, next, status: 200 });
      const seconds = (performance.now() - beganAt) / 1000;
      // The first warms up.
      if (round === 0) continue;
      rates.push(answered.length / seconds);
      floors.push(committed.length / (ROUND_MS / 1000));
      latencies.push(...answered);
      cpu.push(((await cpuOfAll()) - before) / answered.length);
    }
    if (used >= tokens.length) throw new Error('too few tokens for the rate');
    const note = `${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${connections} connections, ${Math.round(median(cpu))} µs CPU of the nodes a call; floor: bare durable one-row commits on as many connections; p50, p99 in ms`;
    const ratio = median(rates.map((rate, at) => rate / floors[at]!));
    return {
      name: `revocation.rate.${nodes}x${connections}`,
      value: median(rates),
      unit: 'calls/s',
      floor: median(floors),
      ratio,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      note,
    };
  } finally {
    await service.stop();
  }
}
