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
  expandSelector,
  MAX_SELECTOR_MEMBERS,
  MAX_SELECTORS_A_RULE,
  parseSelector,
  isByIdentity,
  namesIdentity,
  SELECTOR_SCHEMA,
  selectorKey,
  selectorKeys,
  selectorParts,
  SelectorError,
  splitSelectorKey,
  tokenParts,
  userParts,
  type OtherValues,
  type Selector,
  type SelectorKey,
  type SelectorKeys,
  type TokenRef,
} from './selector.js';
export { ruleTimeOf } from './rule-time.js';
export {
  isEnabling,
  isRuleEvent,
  selectionOfEvent,
  selectorsOfEvent,
  subjectOfEvent,
  type RuleEvent,
  type RuleEventName,
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
  MAX_VALUES_PER_DIMENSION,
  tokenKeys,
  tokenRef,
  type IdJagFacts,
  type Lineage,
  type PackedTokenKeys,
  type TokenFacts,
  type TokenKeys,
  type TokenTimes,
} from './token-keys.js';
export { packKeys, unpackKeys, type PackedKeys, type PackedSets } from './packed-keys.js';
export { createRuleIndex, MAX_RULES_NAMED, type AnyTokenKeys, type RuleIndex } from './rule-index.js';
export { createChains, type Chains } from './chains.js';
export { createSelectorWatch, DEFAULT_MAX_WATCHED, type SelectorWatch } from './selector-watch.js';
