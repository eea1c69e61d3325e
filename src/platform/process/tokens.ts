/** Injection tokens of the parts that every module may use: `@Inject(LOG) log: Log`. */
export const CONFIG = Symbol('rescind.config');
export const LOG = Symbol('rescind.log');
export const METRICS = Symbol('rescind.metrics');
export const HEALTH = Symbol('rescind.health');
export const LIFECYCLE = Symbol('rescind.lifecycle');
