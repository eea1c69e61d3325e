import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as parties from '../conformance/parties.js';
import { makeKey, signJwt } from '../conformance/signing.js';
import { opaqueToken, requestOf, tell } from './introspection-load.js';
import { startService, type Started } from './introspection-service.js';
import { median, quantile, type Row } from './report.js';

const ROUNDS = 4;
const ROUND_MS = 1_500;
const HONEST_TOKENS = 2_000;
/** Requests a second that the honest caller sends whatever comes back, at even distances. */
const HONEST_RATE = 1_000;
const HONEST_CONNECTIONS = 16;
const FLOOD_CONNECTIONS = 64;
/** Time that a flood lasts before the honest caller is measured: by then the flood has used up its burst. */
const FLOOD_LEAD_MS = 1_000;

/** Honest questions about tokens in memory, quiet and beside floods of one who sends as fast as it is answered. */
export async function run(): Promise<readonly Row[]> {
  const service = await startService({ opaque: HONEST_TOKENS, jwts: {} });
  const flooder = fork(fileURLToPath(import.meta.url), ['flood']);
  try {
    await measure(service);
    const floods: readonly (readonly [string, Flood | undefined])[] = [
      ['quiet', undefined],
      ['random', { port: service.port, authorization: service.callers.other, kind: 'random' }],
      ['forged', { port: service.port, authorization: service.callers.other, kind: 'forged' }],
      ['random-same-caller', { port: service.port, authorization: service.callers.honest, kind: 'random' }],
      ['forged-same-caller', { port: service.port, authorization: service.callers.honest, kind: 'forged' }],
      ['wrong-secret-same-address', { port: service.port, authorization: 'Bearer rsk_wrong', kind: 'random' }],
    ];
    const latencies = new Map<string, number[][]>(floods.map(([name]) => [name, []]));
    const answered = new Map<string, number[]>(floods.map(([name]) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, flood] of floods) {
        if (flood) {
          flooder.send(flood);
          await delay(FLOOD_LEAD_MS);
        }
        latencies.get(name)!.push(await measure(service));
        if (flood) answered.get(name)!.push((await tell<{ perSecond: number }>(flooder, 'stop')).perSecond);
      }
    }
    const quietP50 = quantile(latencies.get('quiet')!.flat(), 0.5);
    const p99s = (name: string): number[] => latencies.get(name)!.map((round) => quantile(round, 0.99));
    return floods.slice(1).map(([name]) => ({
      name: `introspection.flood.${name}`,
      value: median(p99s(name)),
      unit: 'ms p99',
      floor: median(p99s('quiet')),
      ratio: median(p99s(name).map((p99, round) => p99 / p99s('quiet')[round]!)),
      p50: quantile(latencies.get(name)!.flat(), 0.5),
      p99: median(p99s(name)),
      note: `floor: quiet, its p50 ${quietP50.toFixed(2)}; ${HONEST_RATE} honest req/s at even distances, ${FLOOD_CONNECTIONS} flooding connections answered ${Math.round(median(answered.get(name)!))} times a second; the ratio is worse when higher`,
    }));
  } finally {
    flooder.kill();
    await service.stop();
  }
}

/** Latencies from the moment a request was due, so that a pause counts for all that it delays. */
async function measure({ port, callers }: Started): Promise<number[]> {
  const latencies: number[] = [];
  const idle: ((due: number) => void)[] = [];
  const due: number[] = [];
  const sockets = Array.from({ length: HONEST_CONNECTIONS }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let dueAt = 0;
    const send = (at: number): void => {
      dueAt = at;
      socket.write(
        requestOf({
          path: '/introspect',
          authorization: callers.honest,
          token: opaqueToken(latencies.length % HONEST_TOKENS),
        }),
      );
    };
    socket.on('data', (chunk) => {
      if (!chunk.includes('"active":true')) throw new Error(`not active: ${chunk.toString('latin1').slice(0, 200)}`);
      latencies.push(performance.now() - dueAt);
      const next = due.shift();
      if (next === undefined) idle.push(send);
      else send(next);
    });
    idle.push(send);
    return socket;
  });
  const startedAt = performance.now();
  for (let sent = 0; sent < (HONEST_RATE * ROUND_MS) / 1000; ) {
    const now = performance.now() - startedAt;
    for (; sent < (now * HONEST_RATE) / 1000; sent++) {
      const at = startedAt + (sent * 1000) / HONEST_RATE;
      const send = idle.pop();
      if (send) send(at);
      else due.push(at);
    }
    await delay(1);
  }
  while (idle.length < HONEST_CONNECTIONS) await delay(1);
  for (const socket of sockets) socket.destroy();
  return latencies;
}

interface Flood {
  readonly port: number;
  readonly authorization: string;
  readonly kind: 'random' | 'forged';
}

/** Characters at the end of a signature that differ from text to text. */
const FORGED_END = 30;
const RANDOM_BYTES = 32;

/** A process of its own. A forged JWT is fresh, of an accepted issuer and under the `kid` of a registered key. */
function runFlooder(): void {
  const key = makeKey('ES256', 'ES256');
  let ending: (() => void) | undefined;
  const forgedStart = (): string =>
    signJwt(key, parties.claimsOf(parties.tokenFacts(Math.floor(Date.now() / 1000), { jti: 'x' }))).slice(
      0,
      -FORGED_END,
    );
  process.on('message', (message: Flood | 'stop') => {
    if (message === 'stop') return ending?.();
    const { port, authorization, kind } = message;
    const start = forgedStart();
    let answered = 0;
    const startedAt = performance.now();
    const sockets = Array.from({ length: FLOOD_CONNECTIONS }, () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      // Another end of the signature makes another text: nothing of it was refused before.
      const send = (): void => {
        const token =
          kind === 'random'
            ? `at_${randomBytes(RANDOM_BYTES).toString('base64url')}`
            : `${start}${randomBytes(RANDOM_BYTES).toString('base64url').slice(0, FORGED_END)}`;
        socket.write(requestOf({ path: '/introspect', authorization, token }));
      };
      socket.on('connect', send);
      socket.on('error', () => undefined);
      socket.on('data', () => {
        answered++;
        send();
      });
      return socket;
    });
    ending = () => {
      for (const socket of sockets) socket.destroy();
      process.send!({ perSecond: (answered / (performance.now() - startedAt)) * 1000 });
    };
  });
}

if (process.argv[2] === 'flood' && process.send) runFlooder();
