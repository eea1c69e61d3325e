import type { Config } from './platform/config/index.js';
import { createLifecycle } from './platform/process/index.js';
import { startGroup, startProcess, startWith, type RunningRescind, type StartOptions } from './roles/index.js';

export {
  restoreFromTopic,
  VERSION,
  type RestoreOptions,
  type RunningFacts,
  type RunningRescind,
} from './roles/index.js';

/**
 * Starts the roles of one process in order, and stops them in the reverse one. Rejects with a `RescindError` that says
 * what to do; then everything that it had started is stopped again.
 */
export async function startRescind(config: Config, options: StartOptions): Promise<RunningRescind> {
  const lifecycle = createLifecycle(options.log);
  options.member?.onStop(() => void lifecycle.stop('its group ends'));
  return startWith(config, options, lifecycle, () => startProcess(config, options, lifecycle));
}

/**
 * Starts as many processes as the configuration wants, which share one port; each is a node. Rejects as {@link startRescind}
 * does.
 */
export async function startRescindGroup(
  config: Config,
  options: Omit<StartOptions, 'member'>,
): Promise<RunningRescind> {
  const lifecycle = createLifecycle(options.log);
  return startWith(config, options, lifecycle, () => startGroup(config, options, lifecycle));
}
