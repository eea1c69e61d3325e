import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createGuard, type Answer, type Guard, type GuardOptions } from '../../../src/guard/index.js';
import { GUARD, type FeedService } from '../feeds/feed-service.js';

export const guardOf = (service: FeedService, over: Partial<GuardOptions> = {}): Guard =>
  createGuard({ rescind: service.url, credentials: { id: GUARD, secret: service.secret(GUARD) }, ...over });

/** One that has a lease. */
export async function startGuard(service: FeedService, over: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = guardOf(service, over);
  guard.start();
  if (!(await guard.ready)) throw new Error('the guard was stopped');
  return guard;
}

/** The answer that the guard gives by itself; undefined when it asks. */
export function localAnswer(guard: Guard, token: string): Answer | undefined {
  const answer = guard.check(token);
  return answer instanceof Promise ? undefined : answer;
}

/** Asked about and remembered. */
export async function learn(guard: Guard, token: string): Promise<void> {
  const answer = await guard.check(token);
  if (answer.state !== 'active') throw new Error(`the token is ${answer.state}`);
  if (localAnswer(guard, token)?.state !== 'active') throw new Error('the token was not kept');
}

const POLL_MS = 10;

/** Looks again until it holds. Jest's own limit ends a wait for what never comes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** The way to a node, for a guard. What is sent while it is severed is lost, and nobody is told. */
export interface Link {
  readonly url: string;
  sever(): void;
  /** Ends what is open; from now on connections are refused. */
  refuse(): Promise<void>;
  /** New connections lead there. Ends what is open. */
  leadTo(url: string): Promise<void>;
  close(): Promise<void>;
}

export async function startLink(to: string): Promise<Link> {
  const sockets = new Set<Socket>();
  let target = new URL(to);
  let isSevered = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => isSevered || other.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (!isSevered) other.destroy();
      });
    }
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;

  async function refuse(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    sever() {
      isSevered = true;
    },
    refuse,
    async leadTo(url) {
      await refuse();
      isSevered = false;
      target = new URL(url);
      await listen(port);
    },
    close: refuse,
  };
}

/** A guard in a process of its own that looks at one token at every turn of its timers. */
export interface GuardProcess {
  readonly pid: number;
  /** When it last said `active` by itself, in milliseconds of the machine's monotonic clock, and how often it has looked. */
  ask(): Promise<{ readonly lastActiveAt: number; readonly looks: number; readonly local: boolean }>;
  end(): Promise<void>;
}

export async function startGuardProcess(service: FeedService, token: string): Promise<GuardProcess> {
  const child = spawn(process.execPath, ['test/integration/guard/guard-process.mjs', service.url, GUARD], {
    env: { PATH: process.env['PATH'], GUARD_SECRET: service.secret(GUARD), GUARD_TOKEN: token },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the guard has ended');
    return value;
  };
  if ((await next()) !== 'ready') throw new Error('the guard did not start');
  return {
    pid: child.pid!,
    async ask() {
      child.stdin.write('ask\n');
      return JSON.parse(await next()) as Awaited<ReturnType<GuardProcess['ask']>>;
    },
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The clock of `lastActiveAt`. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
