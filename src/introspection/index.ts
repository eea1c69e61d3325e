export { AUTHORIZE_REQUEST_PATH } from './authorize-request.js';
export { createIntrospection, type Introspection, type IntrospectionOptions } from './introspection.js';
export { createTokenVerifier, type TokenIdentity, type TokenVerifier } from './token-verifier.js';
export type { Answer, Introspect, Presented } from './introspect.js';
export type { Sight } from './sight.js';
export type { OnCounts, TenantCount } from './counts.js';
export { createRemoteAddress, type RemoteAddress } from './remote-address.js';
