import type { Deployment } from './deployment.js';
import type { CheckLog } from './history.js';
import { openLink, type Link } from './link.js';
import { createGuardProcess, startNodeLoad, type GuardProcess, type Load } from './load.js';
import type { Population } from './population.js';
import type { Random } from './random.js';

/** Questions under way at a time, and a second, a node. */
const CONNECTIONS = 32;
/** Connections, out of {@link CONNECTIONS}, that send several questions at once. */
const PIPELINING = 8;
const QUESTIONS_A_SECOND = 400;
/** Checks of each guard; the guard answers most of them from its memory. */
const CHECKS_A_SECOND = 4_000;
/** Resource servers with the library in them. */
const GUARDS = ['guard-of-one', 'guard-of-all'];

export interface AskingOptions {
  readonly deployment: Deployment;
  /** Directory of the compiled product. */
  readonly product: string;
  readonly population: Population;
  readonly log: CheckLog;
  readonly random: Random;
  readonly onTrouble: (error: unknown) => void;
}

/** Everybody who asks about tokens during a run: a load of questions to the nodes, and guards. */
export interface Asking {
  /** Names of the nodes and guards, by their number in the log of checks. */
  readonly vias: readonly string[];
  readonly guards: readonly GuardProcess[];
  start(): Promise<void>;
  /** Ends in order: guards give their leases back. */
  leave(): Promise<void>;
  /** Ends whatever still runs. */
  kill(): Promise<void>;
}

export function createAsking({ deployment, product, random, ...surroundings }: AskingOptions): Asking {
  const { nodes, guest, credentials } = deployment;
  const vias = [...nodes, guest].map(({ name }) => name).concat(GUARDS);
  const loads: Load[] = [];
  const guards: GuardProcess[] = [];
  const links: Link[] = [];

  return {
    vias,
    guards,
    async start() {
      loads.push(
        await startNodeLoad({
          ...surroundings,
          nodes: [...nodes, guest].map(({ port }, via) => ({ port, via })),
          connections: CONNECTIONS,
          perSecond: QUESTIONS_A_SECOND,
          pipelining: PIPELINING,
          authorization: `Bearer ${credentials.introspector}`,
          waitingAuthorization: `Bearer ${credentials.waitingIntrospector}`,
        }),
      );
      for (const name of GUARDS) {
        // One stays with its node, the other finds another behind each connection.
        const link = await openLink(name === 'guard-of-all' ? () => random.pick(nodes).port : () => nodes[0]!.port);
        links.push(link);
        const guard = createGuardProcess({
          ...surroundings,
          name,
          via: vias.indexOf(name),
          link,
          product,
          key: credentials.guard,
          perSecond: CHECKS_A_SECOND,
        });
        await guard.start();
        guards.push(guard);
      }
    },
    async leave() {
      for (const guard of guards.splice(0)) await guard.leave();
      for (const load of loads.splice(0)) await load.stop();
    },
    async kill() {
      for (const guard of guards) await guard.kill();
      for (const load of loads) await load.stop();
      for (const link of links) await link.close();
    },
  };
}
