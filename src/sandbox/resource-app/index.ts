export {
  createResourceApp,
  type ResourceApp,
  type ResourceAppClient,
  type ResourceAppOptions,
} from './resource-app.js';
export type { ApiRoute } from './api.js';
export type { Account } from './assertion.js';
