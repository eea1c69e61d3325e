import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Reply, Request } from './worker.js';

/** Node keeps the modules of every run that a process has done. */
const RUNS_A_PROCESS = 40;

export interface Runner {
  /** Outcome of the specs, or that they took too long or ended the process. */
  run(request: Request, limitMs: number): Promise<Reply | 'timeout' | 'crash'>;
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
    async run(request, limitMs) {
      if (runs >= RUNS_A_PROCESS) end();
      const working = (child ??= start());
      working.stderr?.resume();
      runs += 1;
      const abort = new AbortController();
      const { signal } = abort;
      const answered = once(working, 'message', { signal }).then(([reply]) => reply as Reply);
      const gone = once(working, 'exit', { signal }).then(() => 'crash' as const);
      const late = delay(limitMs, 'timeout' as const, { signal });
      for (const one of [answered, gone, late]) one.catch(() => undefined);
      working.send(request);
      const outcome = await Promise.race([answered, gone, late]);
      abort.abort();
      if (typeof outcome === 'string') end();
      return outcome;
    },
    close: end,
  };
}
