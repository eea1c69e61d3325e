import type { ControlFollower, ControlLog } from '../control/index.js';
import { createCallerCommands, type CallerCommands } from './callers/callers.js';
import { createEdits } from './edits.js';
import { createSourceCommands, type SourceCommands } from './sources/sources.js';
import { createTenantCommands, type TenantCommands } from './tenants.js';

export interface RegistryOptions {
  readonly controlLog: ControlLog;
  /** Started: an edit is decided on its state. */
  readonly follower: ControlFollower;
  /** Makes the topic unless it exists. Absent where Kafka is. */
  readonly createTopic?: (topic: string) => Promise<void>;
  /** Hosts whose `jwks_uri` may be http if they are loopback. */
  readonly jwksAllowedHosts?: readonly string[];
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/**
 * Tenants, sources and callers. Inputs are what came from outside: checked here, refused with `RescindError`. Commands act
 * within the tenant of the caller that gives them; whether it is an administrator is the edge's to check.
 */
export type Registry = TenantCommands & SourceCommands & CallerCommands;

export function createRegistry({ controlLog, follower, createTopic, jwksAllowedHosts = [], now = Date.now }: RegistryOptions): Registry {
  const edits = createEdits({ controlLog, follower, now });
  const { state } = follower;
  return {
    ...createTenantCommands({ edits, state, now }),
    ...createSourceCommands({ edits, state, createTopic, jwksAllowedHosts }),
    ...createCallerCommands({ edits, state, now }),
  };
}
