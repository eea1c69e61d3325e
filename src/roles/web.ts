import { createWeb, type Web } from '../web/index.js';
import type { Parts } from './parts.js';

/** Makes what signs people in. */
export const createWebFor = ({ config, pool, follower, log }: Parts): Web =>
  createWeb({
    pool,
    state: () => follower.state,
    config: config.people,
    publicUrl: config.channels.publicUrl,
    log,
  });
