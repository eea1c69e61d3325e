export {
  createRevocations,
  type Confirmation,
  type Foreseen,
  type LiftConfirmation,
  type OrderConfirmation,
  type Revocations,
  type RevocationsOptions,
  type RulePage,
} from './revocations.js';
export type { Waits } from './consequences.js';
export type { OrderOwn, OwnOutcome, OwnToken } from './own-rules.js';
export type { Preview } from './preview.pg.js';
export type { PresentedToken, TokenIdentifier } from './presented-token.js';
export { createRevokeHandler, type RevokeHandlerOptions } from './revoke-handler.js';
export type { RuleState, RuleView } from './rule-view.js';
export { RevocationModule } from './revocation.module.js';
