import type { RuleEventName } from '../contracts/index.js';
import { isEnabling } from './event-selectors.js';

/**
 * Returns the time at which an event counts, epoch milliseconds. Because clocks differ, an event's time may be some minutes after
 * its arrival. An enabling counts from its arrival at the latest: otherwise it would lift what the source disables between the two.
 */
export const ruleTimeOf = (name: RuleEventName, atMs: number, arrivalMs: number): number =>
  isEnabling(name) ? Math.min(atMs, arrivalMs) : atMs;
