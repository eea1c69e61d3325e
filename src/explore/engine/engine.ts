import { fork, type ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RescindError } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import { createMetrics, type Metrics } from '../../platform/observe/index.js';
import type { Statement } from '../question/compose.js';
import { createEngineMetrics } from './engine-metrics.js';
import type { Cell, EngineFailure, Request, Response } from './messages.js';

/** How long one query may compute. */
export const QUERY_TIMEOUT_MS = 20_000;
/** Memory of one tenant's database: its tail, and what its questions need. */
const MEMORY = '1GiB';
/** An engine that does not answer so long after it should have is ended. */
const GRACE_MS = 10_000;
const LOAD_TIMEOUT_MS = 60_000;
/** A little less than the service gets. Much less would starve questions on a busy machine, where their time runs out. */
const NICE = 2;
/** Characters of the engine's last words that the log shows. */
const MAX_WORDS = 2_000;

/** The child beside this file, compiled or not. */
const CHILD = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));

type Asked = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** Keeps the process of the engine: starts it when it is needed, and again after it ended. */
export interface Engine {
  /** Counts the processes so far. What an earlier one was told is lost. */
  readonly incarnation: number;
  /** The process that runs now. */
  readonly pid: number | undefined;
  open(room: string, directories: readonly string[]): Promise<void>;
  /** Appends files of rows to the room's tail, and removes uses below `trim`. Returns how many uses the tail has. */
  load(
    room: string,
    files: { readonly uses: string | null; readonly late: string | null; readonly trim: bigint | null },
  ): Promise<number>;
  /** Runs a statement. Rejects when `signal` aborts, and stops computing. */
  run(room: string, statement: Statement, signal?: AbortSignal): Promise<readonly (readonly Cell[])[]>;
  close(room: string): Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
}

interface Running {
  readonly child: ChildProcess;
  readonly waiting: Map<number, Waiting>;
  readonly ended: Promise<void>;
}

export function createEngine({
  log,
  metrics = createMetrics(),
  queryTimeoutMs = QUERY_TIMEOUT_MS,
  memory = MEMORY,
}: {
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  readonly queryTimeoutMs?: number | undefined;
  readonly memory?: string;
}): Engine {
  const measured = createEngineMetrics(metrics);
  let running: Running | undefined;
  let incarnation = 0;
  let requests = 0;
  let stopping = false;

  function start(): Running {
    // No environment: it holds the passwords of the service. No execArgv: a debugger's port is the parent's.
    const child = fork(CHILD, [], {
      env: {},
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    incarnation += 1;
    if (incarnation > 1) measured.restarted();
    if (child.pid !== undefined) lowerPriority(child.pid);
    const waiting = new Map<number, Waiting>();
    let words = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-MAX_WORDS);
    });
    child.on('message', (response: Response) => {
      waiting.get(response.id)?.resolve(response);
      waiting.delete(response.id);
    });
    const ended = new Promise<void>((resolve) => {
      let isOver = false;
      const end = (how: unknown): void => {
        if (isOver) return;
        isOver = true;
        if (running?.child === child) running = undefined;
        if (!stopping)
          log.warn(
            { how, words, questions: waiting.size },
            'the engine of explore ended; the next question starts it again',
          );
        for (const one of waiting.values()) one.reject(new RescindError('engine-unavailable'));
        waiting.clear();
        resolve();
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(signal ?? code));
    });
    return { child, waiting, ended };
  }

  async function ask(
    asked: Asked,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Response> {
    if (stopping) throw new RescindError('shutting-down');
    const { child, waiting } = (running ??= start());
    const id = (requests += 1);
    // A process that hangs serves nobody: its end starts another.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs + GRACE_MS);
    const cancel = (): void => {
      if (child.connected)
        child.send({ id: (requests += 1), ask: 'cancel', target: id } satisfies Request, () => undefined);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<Response>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        // If the channel is closed, the end of the process rejects.
        child.send({ id, ...asked } as Request, () => undefined);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }
  /** Returns what the engine has done. Throws if it has failed. */
  function done(response: Response, timeoutMs: number): Extract<Response, { rows: unknown }> {
    if ('failed' in response) throw failureOf(response.failed, response.message, timeoutMs, log);
    return response;
  }

  return {
    get incarnation() {
      return incarnation;
    },
    get pid() {
      return running?.child.pid;
    },
    async open(room, directories) {
      done(await ask({ ask: 'open', room, directories, memory }, { timeoutMs: LOAD_TIMEOUT_MS }), LOAD_TIMEOUT_MS);
    },
    async load(room, files) {
      const response = await ask({ ask: 'load', room, ...files }, { timeoutMs: LOAD_TIMEOUT_MS });
      return done(response, LOAD_TIMEOUT_MS).kept ?? 0;
    },
    async run(room, { sql, values }, signal) {
      signal?.throwIfAborted();
      const response = await measured.measure(() =>
        ask({ ask: 'run', room, sql, values, timeoutMs: queryTimeoutMs }, { timeoutMs: queryTimeoutMs, signal }),
      );
      signal?.throwIfAborted();
      return done(response, queryTimeoutMs).rows;
    },
    async close(room) {
      if (running !== undefined)
        done(await ask({ ask: 'close', room }, { timeoutMs: LOAD_TIMEOUT_MS }), LOAD_TIMEOUT_MS);
    },
    async stop() {
      stopping = true;
      const last = running;
      last?.child.kill('SIGKILL');
      await last?.ended;
    },
  };
}

function failureOf(failed: EngineFailure, message: string, timeoutMs: number, log: Log): RescindError {
  switch (failed) {
    case 'cancelled':
    case 'too-long':
      return new RescindError('filter-too-wide', {
        detail: `the answer took longer than ${timeoutMs / 1_000} s: narrow the window with \`from\` and \`to\`, or add a filter`,
      });
    case 'too-large':
      return new RescindError('filter-too-wide', {
        detail: 'the answer needs more memory than a question may use: narrow the window, or group by less',
      });
    case 'file':
      log.error(
        { problem: message },
        'a file of the archive cannot be read; run `rescind rebuild archive` to make it anew',
      );
      return new RescindError('archive-damaged');
    case 'closed':
      return new RescindError('engine-unavailable');
    case 'other':
      return new RescindError('internal', { cause: new Error(message) });
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It has ended already.
  }
}
