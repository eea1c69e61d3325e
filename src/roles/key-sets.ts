import { readAuthorities } from '../platform/config/index.js';
import { createKeySets, type KeySets } from '../registry/index.js';
import type { Parts } from './parts.js';

/** Starts the keys of sources, by which tokens and signed events are verified. */
export function startKeySets({ config, follower, log, lifecycle }: Parts): KeySets {
  const keySets = createKeySets({
    state: follower.state,
    log,
    allowedHosts: config.jwksAllowedHosts,
    ca: readAuthorities('JWKS_TLS_CA', config.jwksCaFile),
  });
  lifecycle.onStop('key sets', () => keySets.stop());
  return keySets;
}
