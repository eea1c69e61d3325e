export { createGuard, type Guard, type GuardStats } from './guard.js';
export type { GuardCredentials, GuardLog, GuardOptions } from './guard-options.js';
export type { ActiveAnswer, Answer, InactiveAnswer, TokenClaims, UnavailableAnswer } from './answer.js';
