export {
  DIMENSION_TABLE,
  DIMENSIONS,
  parsePart,
  ruleKey,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  type Dimension,
  type Parts,
  type RuleKey,
  type Statement,
} from './dimension.js';
export {
  commonSelector,
  defaultEffect,
  expandSelector,
  MAX_SELECTORS_A_RULE,
  parseSelector,
  isByIdentity,
  namesIdentity,
  selectorKey,
  selectorKeys,
  selectorParts,
  splitSelectorKey,
  tokenParts,
  userParts,
  type SelectorKey,
  type SelectorKeys,
} from './selector.js';
export { erasedName, ERASED_PREFIX, plainUser, shownErased, userKey } from './erased-name.js';
export type { OtherValues, RuleEventName, Selector, TokenRef } from '../contracts/index.js';
export { ruleTimeOf } from './rule-time.js';
export {
  isEnabling,
  isRuleEvent,
  selectionOfEvent,
  selectorsOfEvent,
  subjectOfEvent,
  type RuleEvent,
  type Selection,
} from './event-selectors.js';
export {
  deadFrom,
  KEPT_S,
  lastKnownUse,
  MAX_LINEAGE_AGE_S,
  reviewFrom,
  stops,
  type Effect,
  type NewRule,
  type Rule,
  type Terms,
} from './rule.js';
export {
  createStatedNames,
  MAX_VALUES_PER_DIMENSION,
  tokenKeys,
  tokenRef,
  type IdJagFacts,
  type Lineage,
  type NameTaker,
  type PackedTokenKeys,
  type TokenFacts,
  type TokenKeys,
  type TokenTimes,
} from './token-keys.js';
export { packKeys, unpackKeys, type PackedKeys, type PackedSets } from './packed-keys.js';
export { createRuleIndex, MAX_RULES_NAMED, type RuleIndex } from './lookup/rule-index.js';
export type { AnyTokenKeys } from './lookup/token-search.js';
export { createChains, type Chains } from './lookup/chains.js';
export { createSelectorWatch, DEFAULT_MAX_WATCHED, type SelectorWatch } from './selector-watch.js';
