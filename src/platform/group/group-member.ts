import cluster from 'node:cluster';
import { RescindError } from '../../contracts/index.js';
import { isGroupMessage, type FromMember, type MemberFacts, type MetricDump, type ToMember } from './group-messages.js';
import { MEMBER_VARIABLE } from './process-group.js';

/** Connects a process that shares its port with others to the process that started it. */
export interface GroupMember {
  /** The member's place in the group, from 1; labels its metrics. */
  readonly number: number;
  listening(facts: MemberFacts): void;
  failed(error: unknown): void;
  /** Collects the current metrics of every member. Members that do not answer are left out. */
  collect(): Promise<readonly MetricDump[]>;
  onDump(dump: () => Promise<MetricDump>): void;
  /** Called when the group is to end. If the process that holds the group has gone, `node:cluster` ends this process at once. */
  onStop(stop: () => void): void;
}

/** Returns undefined in a process that was started by itself. */
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
  // A Ctrl-C reaches every process of the terminal. The process that holds the group stops this one in order.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => stop());

  return {
    number,
    listening: (facts) => tell({ rescind: 'listening', facts }),
    failed(error) {
      const { code, detail } =
        error instanceof RescindError
          ? error
          : new RescindError('internal', { detail: error instanceof Error ? error.message : undefined });
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
