export { createGuard, type Guard, type GuardStats } from './guard.js';
export type { GuardCredentials, GuardLog, GuardOptions } from './guard-options.js';
export type { ActiveAnswer, Answer, InactiveAnswer, TokenClaims, UnavailableAnswer } from './answer.js';
export {
  createBearerVerifier,
  type Allowed,
  type BearerVerifier,
  type PresentedRequest,
  type Refused,
  type Verdict,
  type VerifierOptions,
} from './bearer/bearer-verifier.js';
export type { ChallengeError, Refusal } from './bearer/challenge.js';
export type { DpopOptions } from './bearer/dpop.js';
export type { NonceOptions } from './bearer/dpop-nonce.js';
export { accessOf, type Access, type CertificateOptions, type Described } from './access.js';
export { createMiddleware, type Middleware, type MiddlewareOptions } from './connect.js';
export { fastifyGuard, type FastifyGuardOptions, type RouteAccess } from './fastify.js';
export { createMcpTokenVerifier, type McpAuthInfo, type McpTokenVerifier, type McpVerifierOptions } from './mcp.js';
export { createUsage, type Operation, type Usage, type UsageOptions, type UsageReport } from './usage.js';
