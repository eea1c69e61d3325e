import type { ControlFollower, ControlLog } from '../control/index.js';
import { createCallerCommands, type CallerCommands } from './callers/callers.js';
import { createEdits } from './edits.js';
import { createSourceCommands, type SourceCommands } from './sources/sources.js';
import { createTenantCommands, type TenantCommands } from './tenants.js';

export interface RegistryOptions {
  readonly controlLog: ControlLog;
  /** A started follower; edits are decided on its state. */
  readonly follower: ControlFollower;
  /** Creates the topic unless it exists. Absent if there is no Kafka. */
  readonly createTopic?: (topic: string) => Promise<void>;
  /** Hosts whose `jwks_uri` may be http if they are loopback. */
  readonly jwksAllowedHosts?: readonly string[];
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

/**
 * The commands on tenants, sources and callers. Inputs come from outside; they are checked here and refused with `RescindError`. Commands
 * act within the tenant of the caller that gives them; the edge checks that the caller is an administrator.
 */
export type Registry = TenantCommands & SourceCommands & CallerCommands;

export function createRegistry({
  controlLog,
  follower,
  createTopic,
  jwksAllowedHosts = [],
  now = Date.now,
}: RegistryOptions): Registry {
  const edits = createEdits({ controlLog, follower, now });
  const { state } = follower;
  return {
    ...createTenantCommands({ edits, state, now }),
    ...createSourceCommands({ edits, state, createTopic, jwksAllowedHosts }),
    ...createCallerCommands({ edits, state, now }),
  };
}
