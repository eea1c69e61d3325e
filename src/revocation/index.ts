export {
  createRevocations,
  type Foreseen,
  type LiftConfirmation,
  type OrderConfirmation,
  type Revocations,
  type RevocationsOptions,
} from './revocations.js';
export type { Confirmation } from './in-force-answer.js';
export type { Waits } from './consequences.js';
export type { OrderOwn, OwnOutcome, OwnToken } from './recorded/own-rules.js';
export type { Preview } from '../selection/index.js';
export type { PresentedToken, TokenIdentifier } from './revoke/presented-token.js';
export { createRevokeHandler, type RevokeHandlerOptions } from './revoke/revoke-handler.js';
export type { RuleState, RuleView } from './recorded/rule-view.js';
export type { RulePage, RuleQuery } from './recorded/shown-rules.js';
export { RevocationModule } from './revocation.module.js';
