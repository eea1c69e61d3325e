import type { ControlFollower, ControlLog } from '../control/index.js';
import type { Config } from '../platform/config/index.js';
import type { KafkaServers, Say } from '../platform/embedded/index.js';
import type { GroupMember } from '../platform/group/index.js';
import type { Log } from '../platform/log/index.js';
import type { Health, Metrics, Tracing } from '../platform/observe/index.js';
import type { Leaving, Pool } from '../platform/postgres/index.js';
import type { Lifecycle } from '../platform/process/index.js';
import type { createAuthenticator } from '../registry/index.js';
import type { Waits } from '../revocation/index.js';

export { VERSION } from '../version.js';

export interface StartOptions {
  readonly log: Log;
  /** SIGINT and SIGTERM begin a stop. */
  readonly signals?: boolean;
  /** Membership of a group of processes that share one port. */
  readonly member?: GroupMember;
  /** Ends a start that is under way; later it does nothing. */
  readonly abortStart?: AbortSignal;
  /** Takes a line when an embedded service ended by itself and when it runs again. Default: the log. */
  readonly say?: Say;
  /** How long counting may hold up an order or its answer; the folder `revocation` has the default. */
  readonly orderWaits?: Waits | undefined;
}

/** Parts that every role of a process stands on. */
export interface Parts extends Pick<StartOptions, 'orderWaits'> {
  readonly config: Config;
  /** URL of the database. */
  readonly url: string;
  /** null: HTTP intake alone. */
  readonly servers: KafkaServers | null;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly health: Health;
  readonly lifecycle: Lifecycle;
  /** For decisions: the control log, recorded facts, orders. No reader's question waits for it or keeps it waiting. */
  readonly pool: Pool;
  readonly questionPool: Pool;
  readonly leaving: Leaving;
  readonly watchPool: (name: string, pool: Pool) => void;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly authenticate: ReturnType<typeof createAuthenticator>;
}
