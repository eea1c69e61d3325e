import { isEnabling, type RuleEventName } from './event-selectors.js';

/**
 * When an event counts, epoch milliseconds. An event may lie some minutes ahead of its arrival, since clocks differ. An enabling counts from its
 * arrival at the latest: otherwise it would end what another node of its source disables until then.
 */
export const ruleTimeOf = (name: RuleEventName, atMs: number, arrivalMs: number): number => (isEnabling(name) ? Math.min(atMs, arrivalMs) : atMs);
