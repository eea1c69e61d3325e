export { createIntrospection, type Introspection, type IntrospectionOptions } from './introspection.js';
export { createTokenVerifier, type TokenIdentity, type TokenVerifier } from './token-verifier.js';
export type { Answer, Introspect, Presented } from './introspect.js';
export type { Sight } from './sight.js';
export { createRefusedTokenWriter } from './refused-tokens.pg.js';
export type { CountedRefusal, OnRefused } from './refused-tokens.js';
export { RefusedTokens1764000009020 } from './migrations/1764000009020-refused-tokens.js';
export type { OnCounts, TenantCount } from './counts.js';
export { createRemoteAddress, type RemoteAddress } from './remote-address.js';
