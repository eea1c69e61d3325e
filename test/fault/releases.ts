import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export type Release = 'this' | 'next';
export type NodeName = 'a' | 'b';

const PROGRAM = resolve('test/fault/release-process.mjs');

/** Nodes of two releases on one database, each a process of its own with a home of its own. */
export interface Releases {
  /** Address of a node; its last one while it is away. */
  url(node: NodeName): string;
  adminKey(node: NodeName): Promise<string>;
  start(node: NodeName, release: Release): Promise<void>;
  /** SIGTERM, as a supervisor sends it; resolves with the exit code. */
  stop(node: NodeName): Promise<number | null>;
  /** SIGKILL, as in a crash. */
  kill(node: NodeName): Promise<void>;
  /** One command of the release; its exit code and what it printed. */
  command(release: Release, ...words: string[]): Promise<{ readonly code: number; readonly text: string }>;
  end(): Promise<void>;
}

/** The URL is asked for at each start: a database that failed over is at another one. */
export async function createReleases(
  databaseUrl: string | (() => string),
  more: Readonly<Record<string, string>> = {},
): Promise<Releases> {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-releases-`));
  const running = new Map<NodeName, ChildProcess>();
  const urls = new Map<NodeName, string>();
  const environment = (home: string): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    RESCIND_HOME: join(directory, home),
    PORT: '0',
    DATABASE_URL: typeof databaseUrl === 'string' ? databaseUrl : databaseUrl(),
    KAFKA_BROKERS: 'none',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    MIGRATIONS: 'manual',
    ...more,
  });

  async function stop(node: NodeName, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = running.get(node);
    if (child === undefined) return null;
    running.delete(node);
    const gone = once(child, 'exit');
    child.kill(signal);
    return ((await gone) as [number | null])[0];
  }

  return {
    url: (node) => urls.get(node)!,
    adminKey: async (node) => (await readFile(join(directory, node, 'admin-key'), 'utf8')).trim(),
    async start(node, release) {
      const child = spawn(process.execPath, [PROGRAM, release, 'serve'], {
        env: environment(node),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      running.set(node, child);
      const said = once(createInterface({ input: child.stdout! }), 'line') as Promise<[string]>;
      const ended = once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`node ${node} ended with ${String(code)}`)),
      );
      ended.catch(() => undefined);
      const [line] = await Promise.race([said, ended]);
      urls.set(node, /https?:\/\/[^\s,]+/.exec(line)![0]);
    },
    stop: (node) => stop(node),
    kill: async (node) => void (await stop(node, 'SIGKILL')),
    async command(release, ...words) {
      const env = environment('commands');
      return promisify(execFile)(process.execPath, [PROGRAM, release, ...words], { env }).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        (error: { code: number; stdout: string; stderr: string }) => ({
          code: error.code,
          text: error.stdout + error.stderr,
        }),
      );
    },
    async end() {
      for (const node of running.keys()) await stop(node, 'SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
