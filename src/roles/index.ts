export { startGroup } from './group.js';
export { startProcess } from './one-process.js';
export { VERSION, type StartOptions } from './parts.js';
export { restoreFromTopic, type RestoreOptions } from './database/restore.js';
export { startWith, type RunningFacts, type RunningRescind } from './running.js';
