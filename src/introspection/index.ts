export { createIntrospection, type Introspection, type IntrospectionOptions } from './introspection.js';
export { createTokenVerifier, type TokenIdentity, type TokenVerifier } from './token-verifier.js';
export { MAX_LINEAGE_AGE } from './question.js';
