import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { RescindError } from '../../contracts/index.js';
import { isGroupMessage, type FromMember, type MemberFacts, type MetricDump, type ToMember } from './group-messages.js';
import type { Log } from '../log/index.js';

/** Delay before a process that ended is replaced, so that a process that cannot start does not keep the machine busy. */
const RESTART_DELAY_MS = 1_000;

/** A member that has not answered by then is left out of the collection. */
const COLLECT_TIMEOUT_MS = 2_000;

/** Longer than a member's own shutdown usually takes. */
const STOP_TIMEOUT_MS = 60_000;

export interface ProcessGroup {
  /** Facts of the first member. */
  readonly facts: MemberFacts;
  /** Stops all members in order and waits for them. */
  stop(): Promise<void>;
}

export interface ProcessGroupOptions {
  readonly count: number;
  /** Variables of the members, beside this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Aborts a start that is under way. */
  readonly signal?: AbortSignal;
}

/**
 * Runs this program in `count` further processes that listen on one port (`node:cluster`). A member that ends is replaced. Resolves when
 * all members listen; rejects with the error of the first member that could not start. The first member starts alone, so that the
 * preparations of a first start happen once.
 */
export async function startProcessGroup({
  count,
  env,
  log,
  signal: ending,
}: ProcessGroupOptions): Promise<ProcessGroup> {
  // Members accept connections themselves. If this process handed connections out in turn, a connection given to a member that
  // has just died would be answered by nobody and closed by nobody.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const members = new Map<number, Worker>();
  const questions = new Map<number, { readonly worker: number; readonly answer: (dump: MetricDump) => void }>();
  let asked = 0;
  let stopping = false;

  function tell(worker: Worker, message: ToMember): void {
    // A member that is ending closes its channel first.
    if (worker.isConnected()) worker.send(message, () => undefined);
  }

  function dumpOf(worker: Worker): Promise<MetricDump | undefined> {
    const id = ++asked;
    const abort = new AbortController();
    const answered = new Promise<MetricDump>((answer) => questions.set(id, { worker: worker.id, answer }));
    tell(worker, { rescind: 'dump', id });
    return Promise.race([
      answered,
      delay(COLLECT_TIMEOUT_MS, undefined, { signal: abort.signal }).catch(() => undefined),
    ]).finally(() => {
      abort.abort();
      questions.delete(id);
    });
  }

  async function collectFor(worker: Worker, id: number): Promise<void> {
    const dumps = await Promise.all([...members.values()].map(dumpOf));
    tell(worker, { rescind: 'collected', id, dumps: dumps.filter((dump) => dump !== undefined) });
  }

  function start(number: number): Promise<MemberFacts> {
    const worker = cluster.fork({ ...env, [MEMBER_VARIABLE]: String(number) });
    members.set(number, worker);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromMember) => {
        if (!isGroupMessage(message)) return;
        switch (message.rescind) {
          case 'listening':
            return resolve(message.facts);
          case 'failed':
            return reject(new RescindError(message.code, { detail: message.detail }));
          case 'collect':
            return void collectFor(worker, message.id);
          case 'dump':
            return void (
              questions.get(message.id)?.worker === worker.id && questions.get(message.id)!.answer(message.dump)
            );
          default:
            return message satisfies never;
        }
      });
      worker.once('exit', (code, signal) => {
        reject(new RescindError('internal', { detail: `process ${number} ended before it listened` }));
        members.delete(number);
        if (stopping) return;
        log.error({ process: number, code, signal }, 'a process ended; another takes its place');
        void replace(number);
      });
    });
  }

  async function replace(number: number): Promise<void> {
    await delay(RESTART_DELAY_MS);
    // If the replacement cannot start either, its end leads here again.
    if (!stopping) await start(number).catch(() => undefined);
  }

  async function stop(): Promise<void> {
    stopping = true;
    const ended = [...members.values()].map(
      (worker) => new Promise<void>((resolve) => void worker.once('exit', () => resolve())),
    );
    for (const worker of members.values()) tell(worker, { rescind: 'stop' });
    const abort = new AbortController();
    const late = delay(STOP_TIMEOUT_MS, 'late', { signal: abort.signal }).catch(() => undefined);
    if ((await Promise.race([Promise.all(ended), late])) === 'late') {
      for (const worker of members.values()) worker.process.kill('SIGKILL');
      await Promise.all(ended);
    }
    abort.abort();
  }

  const abort = (): void => void stop();
  ending?.addEventListener('abort', abort);
  try {
    ending?.throwIfAborted();
    const facts = await start(1);
    ending?.throwIfAborted();
    await Promise.all(Array.from({ length: count - 1 }, (_, at) => start(at + 2)));
    return { facts, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    ending?.removeEventListener('abort', abort);
  }
}

/** Names a member's place, from 1, in the group. */
export const MEMBER_VARIABLE = 'RESCIND_MEMBER';
