export { createLog } from './log.js';
export type { Log, LogDestination } from './log.js';
export { MASK, maskSecrets } from './masking.js';
