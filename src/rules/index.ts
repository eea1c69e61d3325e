export { DIMENSIONS, ruleKey, ruleKeyFromBytes, ruleKeyToBytes, type Dimension, type Parts, type RuleKey } from './dimension.js';
export {
  MAX_SELECTOR_MEMBERS,
  parseSelector,
  selectorKey,
  selectorParts,
  SelectorError,
  splitSelectorKey,
  tokenParts,
  userParts,
  type Selector,
  type SelectorKey,
  type TokenRef,
} from './selector.js';
export { stops, type Effect, type Rule } from './rule.js';
export {
  MAX_VALUES_PER_DIMENSION,
  tokenKeys,
  tokenRef,
  type IdJagFacts,
  type Lineage,
  type TokenFacts,
  type TokenKeys,
} from './token-keys.js';
export { createRuleIndex, type RuleIndex } from './rule-index.js';
