import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { CheckLog } from './history.js';

/** What a checking process is told about tokens, by their numbers in the history. */
export interface Told {
  /** Texts of tokens that are recorded from now on. */
  readonly know?: readonly (readonly [token: number, text: string])[];
  /** May be active: drawn often. */
  readonly live?: readonly number[];
  /** Will not be active any more: drawn rarely. */
  readonly dead?: readonly number[];
  /** To be asked about now, by every way there is. */
  readonly focus?: readonly number[];
}

/** Processes that check tokens from outside, each by its own ways (a node over HTTP, a guard in the process). */
export interface Load {
  tell(told: Told): void;
  stop(): Promise<void>;
}

export interface NodeLoadOptions {
  readonly nodes: readonly { readonly port: number; readonly via: number }[];
  /** A node; each has one question under way. */
  readonly connections: number;
  readonly authorization: string;
  readonly log: CheckLog;
  readonly onTrouble: (error: Error) => void;
}

/** A process that introspects at the nodes. */
export async function startNodeLoad({ nodes, connections, authorization, log, onTrouble }: NodeLoadOptions): Promise<Load> {
  const child = fork(resolve('test/fault/linearizability/load-process.mjs'), { serialization: 'advanced', execArgv: [] });
  const { stop } = collect(child, log, onTrouble);
  await once(child, 'message');
  child.send({ start: { nodes, connections, authorization } });
  return { tell: (told) => void (child.connected && child.send(told)), stop };
}

const MEMBERS = 5;

/** Writes down what the process tells. */
function collect(child: ChildProcess, log: CheckLog, onTrouble: (error: Error) => void): { stop(): Promise<void> } {
  let stopping = false;
  const gone = once(child, 'exit');
  child.on('message', (message: { readonly checks?: Float64Array; readonly unexpected?: string }) => {
    if (message.unexpected !== undefined) onTrouble(new Error(`an answer that nobody promised: ${message.unexpected}`));
    const { checks = new Float64Array() } = message;
    for (let at = 0; at < checks.length; at += MEMBERS) log.push(checks[at]!, checks[at + 1]!, checks[at + 2]!, checks[at + 3]!, checks[at + 4]!);
  });
  child.on('exit', () => stopping || onTrouble(new Error('a checking process ended')));
  return {
    async stop() {
      stopping = true;
      child.disconnect();
      await gone;
    },
  };
}
