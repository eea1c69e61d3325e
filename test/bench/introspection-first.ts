import type { Algorithm } from '../conformance/signing.js';
import { ask, requestOf, tell, type Load } from './introspection-load.js';
import { startService } from './introspection-service.js';
import { median, quantile, type Row } from './report.js';

const ROUNDS = 7;
const TOKENS_A_ROUND = 1_000;
const CONNECTIONS = 64;
const MIN_ACTIVE_BYTES = 250;
const MAX_ROUND_MS = 30_000;
const A_MILLION = 1_000_000;
const ALGORITHMS = (process.env['BENCH_ALGORITHMS']?.split(',') ?? [
  'ES256',
  'EdDSA',
  'RS256',
  'PS256',
]) as readonly Algorithm[];

interface LoopUse {
  readonly idle: number;
  readonly active: number;
}

/** JWTs that this node was never asked about: neither their facts nor their signatures are in memory. */
export const run = (): Promise<readonly Row[]> => measure(ALGORITHMS, 0);

/** Likewise, of one algorithm, anywhere among a million tokens. */
export const runMillion = (): Promise<readonly Row[]> => measure(['ES256'], A_MILLION);

async function measure(algorithms: readonly Algorithm[], beside: number): Promise<readonly Row[]> {
  const count = (ROUNDS + 1) * TOKENS_A_ROUND;
  const service = await startService({
    opaque: 0,
    jwts: Object.fromEntries(algorithms.map((alg) => [alg, count])),
    beside,
  });
  const rows: Row[] = [];
  try {
    for (const alg of algorithms) {
      const jwts = service.jwts[alg]!;
      let at = 0;
      const next = (): Buffer =>
        requestOf({ path: '/introspect', authorization: service.callers.honest, token: jwts[at++]! });
      const load: Load = {
        port: service.port,
        connections: CONNECTIONS,
        ms: MAX_ROUND_MS,
        max: TOKENS_A_ROUND,
        minBytes: MIN_ACTIVE_BYTES,
        next,
      };
      const rates: number[] = [];
      const floors: number[] = [];
      const threads: number[] = [];
      const latencies: number[] = [];
      const busy: number[] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const verified = jwts.slice(round * TOKENS_A_ROUND, (round + 1) * TOKENS_A_ROUND);
        const { ms, threadsMs } = await tell<{ ms: number; threadsMs: number }>(service.child, { verify: verified });
        const before = await tell<LoopUse>(service.child, 'loop');
        const { requests, seconds, latenciesMs } = await ask(service.child, load);
        const after = await tell<LoopUse>(service.child, 'loop');
        if (round === 0) continue;
        rates.push(requests / seconds);
        floors.push((verified.length / ms) * 1000);
        threads.push((verified.length / threadsMs) * 1000);
        latencies.push(...latenciesMs);
        busy.push(((after.active - before.active) * 1000) / requests);
      }
      const loop = `event loop busy ${median(busy).toFixed(0)} µs a request, one verification takes ${(1e6 / median(floors)).toFixed(0)} µs`;
      rows.push({
        name: `introspection.first${beside > 0 ? '.million' : ''}.${alg.toLowerCase()}`,
        value: median(rates),
        unit: 'req/s',
        floor: median(floors),
        ratio: median(rates.map((rate, round) => rate / floors[round]!)),
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
        note: `floor: bare crypto.verify on one thread of an idle process, ${Math.round(median(threads)).toLocaleString('en')}/s on libuv's; facts read from PostgreSQL too; ${loop}; p50, p99 in ms`,
      });
    }
    return rows;
  } finally {
    await service.stop();
  }
}
