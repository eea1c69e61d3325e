import { fork, type ChildProcess } from 'node:child_process';
import { once, on } from 'node:events';
import { readFileSync } from 'node:fs';
import { setInterval as every, setTimeout as delay } from 'node:timers/promises';
import type { Reply, Request, Started } from './worker.js';

/** Node keeps the modules of every run that a process has done. */
const RUNS_A_PROCESS = 40;
const LOOK_AT_CPU_MS = 500;
/** Linux counts processor time in ticks of 10 ms. */
const TICK_MS = 10;

export interface Limits {
  /** Milliseconds for all specs together. A busy machine may need more without hanging. */
  readonly ms: number;
  /** Processor time for one spec, in milliseconds: a spec that uses more hangs, however busy the machine is. Linux alone tells it. */
  readonly cpuMs: (spec: string) => number;
}

/** `late`: the specs took longer than `ms`. `timeout`: a spec used more than its `cpuMs`. `crash`: the process ended. */
export type Ended = Reply | 'late' | 'timeout' | 'crash';

export interface Runner {
  run(request: Request, limits: Limits): Promise<Ended>;
  close(): void;
}

/** Runs specs in a process of its own, which is replaced when it hangs, ends, or has run for long. */
export function createRunner(): Runner {
  let child: ChildProcess | undefined;
  let runs = 0;

  function end(): void {
    child?.kill('SIGKILL');
    child = undefined;
    runs = 0;
  }

  function start(): ChildProcess {
    const execArgv = ['--no-warnings'];
    return fork(new URL('./worker.js', import.meta.url), { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  }

  return {
    async run(request, { ms, cpuMs }) {
      if (runs >= RUNS_A_PROCESS) end();
      const working = (child ??= start());
      working.stderr?.resume();
      runs += 1;
      const abort = new AbortController();
      const { signal } = abort;
      let allowedCpuMs = Number.POSITIVE_INFINITY;

      async function answered(): Promise<Reply> {
        for await (const [message] of on(working, 'message', { signal }) as AsyncIterable<[Reply | Started]>) {
          if ('specs' in message) return message;
          allowedCpuMs = usedCpuMs(working) + cpuMs(message.started);
        }
        throw new Error('the worker sends nothing more');
      }
      async function hung(): Promise<'timeout'> {
        for await (const _ of every(LOOK_AT_CPU_MS, undefined, { signal }))
          if (usedCpuMs(working) > allowedCpuMs) break;
        return 'timeout';
      }

      const gone = once(working, 'exit', { signal }).then(() => 'crash' as const);
      const ends = [answered(), gone, hung(), delay(ms, 'late' as const, { signal })];
      for (const one of ends) one.catch(() => undefined);
      working.send(request);
      const outcome = await Promise.race(ends);
      abort.abort();
      if (typeof outcome === 'string') end();
      return outcome;
    },
    close: end,
  };
}

/** 0 where the system does not tell. */
function usedCpuMs({ pid }: ChildProcess): number {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    const [user, system] = [afterName[11], afterName[12]];
    return (Number(user) + Number(system)) * TICK_MS;
  } catch {
    return 0;
  }
}
