export { createIdp, type Idp, type IdpClient, type IdpOptions } from './idp.js';
export type { IdpUser } from './directory.js';
export type { Connection } from './policy.js';
export type { AgentIdentity } from './token-exchange.js';
