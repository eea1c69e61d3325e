import cluster from 'node:cluster';
import { RescindError } from '../../contracts/index.js';
import { isGroupMessage, type FromMember, type MemberFacts, type MetricDump, type ToMember } from './group-messages.js';
import { MEMBER_VARIABLE } from './process-group.js';

/** The channel of a process that shares its port with others. */
export interface GroupMember {
  /** From 1; labels its metrics. */
  readonly number: number;
  listening(facts: MemberFacts): void;
  failed(error: unknown): void;
  /** What every member measures now. Members that do not answer are left out. */
  collect(): Promise<readonly MetricDump[]>;
  onDump(dump: () => Promise<MetricDump>): void;
  /** The group is to end. Where the process that holds it has gone, `node:cluster` ends this one at once. */
  onStop(stop: () => void): void;
}

/** Undefined in a process that was started by itself. */
export function joinProcessGroup(env: NodeJS.ProcessEnv = process.env): GroupMember | undefined {
  const number = Number(env[MEMBER_VARIABLE]);
  if (!cluster.isWorker || !Number.isInteger(number)) return undefined;
  const collecting = new Map<number, (dumps: readonly MetricDump[]) => void>();
  let asked = 0;
  let dumpOwn: () => Promise<MetricDump> = async () => [];
  let stop: () => void = () => process.exit(1);
  const tell = (message: FromMember): void => void process.send!(message);

  process.on('message', (message: ToMember) => {
    if (!isGroupMessage(message)) return;
    switch (message.rescind) {
      case 'stop':
        return stop();
      case 'dump':
        return void dumpOwn().then((dump) => tell({ rescind: 'dump', id: message.id, dump }));
      case 'collected':
        collecting.get(message.id)?.(message.dumps);
        return void collecting.delete(message.id);
      default:
        return message satisfies never;
    }
  });
  // A Ctrl-C reaches the whole group of the terminal: the process that holds this one stops it in order.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => stop());

  return {
    number,
    listening: (facts) => tell({ rescind: 'listening', facts }),
    failed(error) {
      const { code, detail } = error instanceof RescindError ? error : new RescindError('internal', { detail: error instanceof Error ? error.message : undefined });
      tell({ rescind: 'failed', code, detail });
    },
    collect() {
      const id = ++asked;
      tell({ rescind: 'collect', id });
      return new Promise((resolve) => collecting.set(id, resolve));
    },
    onDump(dump) {
      dumpOwn = dump;
    },
    onStop(listener) {
      stop = listener;
    },
  };
}
