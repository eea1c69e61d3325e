export { createIntrospection, type Introspection, type IntrospectionOptions } from './introspection.js';
export { createTokenVerifier, type TokenIdentity, type TokenVerifier } from './token-verifier.js';
export type { OnCounts, TenantCount } from './counts.js';
export { createRemoteAddress, type RemoteAddress } from './remote-address.js';
