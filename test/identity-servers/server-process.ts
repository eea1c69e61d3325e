import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a server may take to answer: the first start of one builds it, and a slow machine takes minutes. */
const START_MS = 780_000;
const POLL_MS = 500;
/** A first answer may take long: Hydra makes its keys for it. */
const ANSWER_MS = 60_000;
/** Characters of its output that are kept for the error. */
const KEPT = 4_000;

export interface ServerProcess {
  /** Waits until a GET is answered 200. Rejects with the server's last words if it ends or takes too long. */
  untilItAnswers(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server in a group of its own, because scripts start the real program as a child. */
export function launchServer(
  name: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ServerProcess {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => (said += error.message));
  return {
    async untilItAnswers(url) {
      const deadline = performance.now() + START_MS;
      for (;;) {
        if (hasEnded(child)) throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${said}`);
        const status = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
          (response) => response.status,
          () => 0,
        );
        if (status === 200) return;
        if (performance.now() > deadline) throw new Error(`${name} does not answer: ${said}`);
        await delay(POLL_MS);
      }
    },
    async stop() {
      if (hasEnded(child) || child.pid === undefined) return;
      const ended = new Promise((done) => child.once('exit', done));
      // Nobody needs the state in its memory.
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
