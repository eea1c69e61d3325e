import type { Pool } from 'pg';
import type { ControlFollower } from '../../src/control/index.js';
import { createSignatures, type Appender, type SignatureChecks } from '../../src/ingest/index.js';
import { createKeySets } from '../../src/registry/index.js';
import { testLog } from './services.js';

/** Checks of signed events as a process has them. Keys are fetched from `allowedHosts` alone, which must be loopback. */
export function testSignatures({
  pool,
  follower: { state },
  appender,
  allowedHosts = [],
}: {
  readonly pool: Pool;
  readonly follower: Pick<ControlFollower, 'state'>;
  readonly appender: Appender;
  readonly allowedHosts?: readonly string[];
}): SignatureChecks {
  const keySets = createKeySets({ state, log: testLog(), allowedHosts });
  return createSignatures({ pool, state, keySets, appender });
}
