import { DIMENSIONS, type RuleKey } from './dimension.js';
import { stops, type Rule } from './rule.js';
import type { TokenKeys } from './token-keys.js';

/** All live rules of one tenant, by the shape of their selector. Not safe to share between tenants: keys differ. */
export interface RuleIndex {
  readonly size: number;
  /** Adds a rule, or replaces the one with its id. */
  put(rule: Rule): void;
  remove(id: string): void;
  get(id: string): Rule | undefined;
  /** Some rule that stops this token at `now` (epoch seconds), or undefined. */
  findStopping(token: TokenKeys, now: number): Rule | undefined;
}

interface Shape {
  readonly positions: readonly number[];
  readonly rules: Map<string, Rule | Rule[]>;
}

export function createRuleIndex(): RuleIndex {
  const byId = new Map<string, Rule>();
  const shapes = new Map<number, Shape>();

  function remove(id: string): void {
    const rule = byId.get(id);
    if (!rule) return;
    byId.delete(id);
    const { rules } = shapes.get(rule.selector.shape)!;
    const held = rules.get(rule.selector.key);
    const rest = Array.isArray(held) ? held.filter((other) => other.id !== id) : [];
    if (rest.length === 0) rules.delete(rule.selector.key);
    else rules.set(rule.selector.key, rest.length === 1 ? rest[0]! : rest);
    if (rules.size === 0) shapes.delete(rule.selector.shape);
  }

  return {
    get size() {
      return byId.size;
    },
    put(rule) {
      remove(rule.id);
      byId.set(rule.id, rule);
      const shape = shapes.get(rule.selector.shape) ?? { positions: positionsOf(rule.selector.shape), rules: new Map() };
      shapes.set(rule.selector.shape, shape);
      const held = shape.rules.get(rule.selector.key);
      shape.rules.set(rule.selector.key, held === undefined ? rule : [held, rule].flat());
    },
    remove,
    get: (id) => byId.get(id),
    findStopping(token, now) {
      for (const shape of shapes.values()) {
        const rule = findInShape(shape, token, now, 0, '');
        if (rule) return rule;
      }
      return undefined;
    },
  };
}

/** Walks the product of the token's sets over the shape's dimensions: at most 8 to the 4th look-ups. */
function findInShape(shape: Shape, token: TokenKeys, now: number, depth: number, prefix: string): Rule | undefined {
  if (depth === shape.positions.length) {
    const held = shape.rules.get(prefix);
    if (held === undefined) return undefined;
    if (Array.isArray(held)) return held.find((rule) => stops(rule, token, now));
    return stops(held, token, now) ? held : undefined;
  }
  for (const key of token.sets[shape.positions[depth]!] as readonly RuleKey[]) {
    const rule = findInShape(shape, token, now, depth + 1, prefix + key);
    if (rule) return rule;
  }
  return undefined;
}

const positionsOf = (shape: number): number[] => DIMENSIONS.flatMap((_, position) => (shape & (1 << position) ? [position] : []));
