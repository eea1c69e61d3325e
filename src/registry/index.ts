export { createRegistry, type Registry, type RegistryOptions } from './registry.js';
export type { Actor } from './authored.js';
export type { CreatedCaller, CreatedSecret } from './callers/callers.js';
export { createForgetting, DEFAULT_TENANT, type CreatedTenant } from './tenants.js';
export type { CallerView, SecretView, SourceView, TenantView } from './views.js';
export { ADMIN_CALLER, ADMIN_KEY_FILE, bootstrap, type Bootstrapped, type BootstrapOptions } from './bootstrap.js';
export {
  createAuthenticator,
  type Authentication,
  type AuthenticationScheme,
  type Authenticator,
  type AuthenticatorOptions,
  type Credentials,
  type Refusal,
} from './callers/authenticator.js';
export { missingRole, oauthRefusal, type OAuthRefusal } from './callers/oauth-refusal.js';
export { createKeySets, type KeySelector, type KeySets, type KeySetsOptions } from './keys/key-sets.js';
export { publicJwk, type Jwk, type VerificationKey } from './keys/jwks-check.js';
export { createReader as createInputReader } from './inputs.js';
export { createTurns, type Turns, type TurnsOptions } from './turns.js';
export { createAdmission, MAX_QUESTIONS_A_CALLER, MAX_QUESTIONS_A_TENANT } from './admission.js';
export { Asks, CallerGuard, CurrentCaller, IDENTIFY, RequireRole } from './callers/caller.guard.js';
export { maySeePayloads, requirePayloads } from './callers/payloads.js';
export { PayloadsBound } from './callers/payloads.guard.js';
export type { Caller, CallerRoles } from '../control/index.js';
export { createIdentify, type Identify, type People } from './callers/identify.js';
export {
  createCallerNetworks,
  NETWORK_KEPT_MS,
  type CallerNetworks,
  type KeyUse,
  type OwedUse,
} from './key-uses/caller-networks.pg.js';
export { createKeyUses, NETWORKS_A_DAY, type KeyUses, type TellKeyUse } from './key-uses/key-uses.js';
export { RegistrySchema } from './migrations/1796000010000-schema.js';
export { RegistryModule, type RegistryParts } from './registry.module.js';
export { REGISTRY } from './tokens.js';
