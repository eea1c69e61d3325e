import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { digestOf } from '../conformance/signing.js';
import { median, quantile, type Row } from './report.js';

/** The result of one round of questions. */
export interface Round {
  readonly requests: number;
  readonly seconds: number;
  /** CPU time of the serving process, all its threads, a request. */
  readonly cpuUs: number;
  readonly latenciesMs: readonly number[];
}

export interface Load {
  readonly port: number;
  /** The process that serves it, where it is another than the one asked beside it. */
  readonly child?: ChildProcess;
  /** The next request, whole. */
  readonly next: () => Buffer;
  readonly connections: number;
  readonly ms: number;
  /** Bytes that a good answer has at least: an inactive one is shorter. */
  readonly minBytes?: number;
  /** Requests at most. */
  readonly max?: number;
}

export const opaqueToken = (at: number): string => `at_${digestOf(`token ${at}`)}`;

export function requestOf({
  path,
  authorization,
  token,
}: {
  readonly path: string;
  readonly authorization: string;
  readonly token: string;
}): Buffer {
  const body = `token=${token}&token_type_hint=access_token`;
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

/**
 * Asks over kept-alive connections with one request under way each. It does as little as it can (7 µs a request): a client
 * that is the bottleneck would flatter whoever is asked.
 */
export async function ask(child: ChildProcess, load: Load): Promise<Round> {
  const cpuBefore = await cpuOf(child);
  const startedAt = performance.now();
  const latenciesMs: number[] = [];
  const state = { left: load.max ?? Infinity, until: startedAt + load.ms };
  await Promise.all(Array.from({ length: load.connections }, () => runConnection(load, state, latenciesMs)));
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    requests: latenciesMs.length,
    seconds,
    cpuUs: ((await cpuOf(child)) - cpuBefore) / latenciesMs.length,
    latenciesMs,
  };
}

function runConnection(
  { port, next, minBytes = 0 }: Load,
  state: { left: number; readonly until: number },
  latenciesMs: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    const send = (now: number): void => {
      if (now >= state.until || state.left-- <= 0) {
        socket.destroy();
        return resolve();
      }
      sentAt = now;
      socket.write(next());
    };
    socket.on('connect', () => send(performance.now()));
    socket.on('error', reject);
    // One request is under way, and its answer fits one segment.
    socket.on('data', (chunk) => {
      if (chunk.length < minBytes) return reject(new Error(`not active: ${chunk.toString('latin1').slice(0, 300)}`));
      const now = performance.now();
      latenciesMs.push(now - sentAt);
      send(now);
    });
  });
}

export const heard = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
    child.once('exit', died);
    child.once('message', (message) => {
      child.off('exit', died);
      resolve(message as T);
    });
  });

/** Asks the serving process, which answers each message with one. */
export async function tell<T>(child: ChildProcess, message: string | object): Promise<T> {
  const answer = heard<T>(child);
  child.send(message);
  return answer;
}

/** Microseconds, user and system. */
export async function cpuOf(child: ChildProcess): Promise<number> {
  const { user, system } = await tell<NodeJS.CpuUsage>(child, 'cpu');
  return user + system;
}

/** Loads that run side by side: the floor, our own, and another implementation if there is one. */
export interface Loads {
  readonly floor: Load;
  readonly own: Load;
  readonly peer?: Load;
}
export type Rounds = { readonly [Name in keyof Loads]-?: readonly Round[] };

/** Asks all in turn, in short rounds, so that they meet the same machine; the first of each is not counted. */
export async function interleave(child: ChildProcess, { floor, own, peer }: Loads, rounds: number): Promise<Rounds> {
  const all = { floor: [] as Round[], own: [] as Round[], peer: [] as Round[] };
  for (let round = 0; round <= rounds; round++) {
    const asked = {
      floor: await ask(child, floor),
      own: await ask(child, own),
      peer: peer && (await ask(peer.child ?? child, peer)),
    };
    if (round === 0) continue;
    all.floor.push(asked.floor);
    all.own.push(asked.own);
    if (asked.peer) all.peer.push(asked.peer);
  }
  return all;
}

/**
 * One row beside the floor and, where there is a peer, one beside it. The ratio is the median of the rounds' own ratios; what
 * the rounds cost in CPU stands in the note, which a loaded machine changes less.
 */
export async function rowsOf(
  child: ChildProcess,
  name: string,
  { floor, own, peer }: Rounds,
  note: string,
): Promise<readonly Row[]> {
  const rss = await tell<number>(child, 'rss');
  const memory = `RSS of the process that serves ${Math.round(rss / MB)} MB`;
  const row = { ...compare(own, floor), name, note: `${note}; ${cpuOfBoth(own, floor)}; ${memory}; p50, p99 in ms` };
  if (peer.length === 0) return [row];
  const latencies = peer.flatMap(({ latenciesMs }) => latenciesMs);
  const beside = `floor: oidc-provider in a process of its own, p50 ${quantile(latencies, 0.5).toFixed(2)}, p99 ${quantile(latencies, 0.99).toFixed(2)}`;
  return [row, { ...compare(own, peer), name: `${name}.oidc-provider`, note: `${beside}; ${cpuOfBoth(own, peer)}` }];
}

const MB = 1024 * 1024;

function compare(own: readonly Round[], floor: readonly Round[]): Omit<Row, 'name' | 'note'> {
  const rates = own.map(rateOf);
  const floors = floor.map(rateOf);
  const latencies = own.flatMap(({ latenciesMs }) => latenciesMs);
  return {
    value: median(rates),
    unit: 'req/s',
    floor: median(floors),
    ratio: median(rates.map((rate, at) => rate / floors[at]!)),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

function cpuOfBoth(own: readonly Round[], floor: readonly Round[]): string {
  const [cpu, floorCpu] = [own, floor].map((rounds) => median(rounds.map(({ cpuUs }) => cpuUs))) as [number, number];
  return `CPU a request ${cpu.toFixed(1)} µs against ${floorCpu.toFixed(1)} µs, ratio ${(floorCpu / cpu).toFixed(2)}`;
}

const rateOf = ({ requests, seconds }: Round): number => requests / seconds;

/** Answers the questions of every bench about the serving process itself. Undefined: the message is something else. */
export function answerOf(message: unknown): object | number | undefined {
  if (message === 'cpu') return process.cpuUsage();
  return message === 'rss' ? process.memoryUsage().rss : undefined;
}
