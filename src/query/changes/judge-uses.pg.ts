import { termsOf } from '../../projections/index.js';
import {
  createRuleIndex,
  ruleKeyFromBytes,
  selectorKey,
  type RuleIndex,
  type RuleKey,
  type TokenKeys,
} from '../../rules/index.js';
import { findBeginning, keysOf, readLineages, type Beginning } from '../../selection/index.js';
import type { Reader } from '../ask/reader.js';
import type { Line } from './lines.js';
import type { Between } from './read.pg.js';
import { findUsedAfter, type PartRow, type RuleRow, type RulesAfter, type UseGroup } from './used-after.js';

/** Tokens whose lineage is read for one answer: those used last. */
const MAX_TOKENS_JUDGED = 1_000;

interface Use {
  readonly group: UseGroup;
  readonly part: PartRow;
  readonly rule: RuleRow;
}

/**
 * Finds the uses that a rule stopped, as the code of `/v1/tokens` decides, and those after its lift that it would have
 * stopped; one line for each rule, user, agent, client and resource. A fresh token after an enabling or after the end of
 * a block is not stopped, so its uses make no line.
 */
export async function linesOfUses(
  between: Between,
  reader: Reader,
  told: RulesAfter,
): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const { until, clients, resources } = between;
  const rules = new Map((told.rules ?? []).map((rule) => [rule.nth, rule]));
  const isWanted = ({ client, res }: UseGroup): boolean =>
    (!clients || clients.includes(client)) && (!resources || (res !== null && resources.includes(res)));
  const parts = await readParts(between, reader, told);
  const all = parts
    .flatMap((part) =>
      (part.groups ?? []).filter(isWanted).map((group): Use => ({ group, part, rule: rules.get(part.nth)! })),
    )
    .sort((one, other) => other.group.last_at - one.group.last_at);
  const tokens = [...new Set(all.map(({ group }) => group.token))];
  const keys = await readKeys(between, reader, tokens.slice(0, MAX_TOKENS_JUDGED));
  const isStopped = createJudge(reader.tenantKey(until.tenant), told.rules ?? [], keys);
  const cut = told.cut || tokens.length > MAX_TOKENS_JUDGED || parts.some((part) => part.cut);
  return { lines: toLines(all.filter(isStopped)), cut };
}

/** Finds the uses in the periods of all rules. Rules that begin from the same names are looked up once. */
async function readParts(
  { since, until }: Between,
  reader: Reader,
  { rules, parts }: RulesAfter,
): Promise<readonly PartRow[]> {
  if (!rules || !parts) return [];
  const tenantKey = reader.tenantKey(until.tenant);
  const found = new Map<string, Promise<Beginning>>();
  const beginnings = await Promise.all(
    rules.map(async ({ nth, selector }) => {
      const name = JSON.stringify(selector);
      const beginning = found.get(name) ?? findBeginning(until, tenantKey, selector);
      found.set(name, beginning);
      return [nth, await beginning] as const;
    }),
  );
  const of = new Map(beginnings);
  return findUsedAfter(
    until,
    since.index,
    parts.map((part) => ({ ...part, beginning: of.get(part.nth)! })),
  );
}

async function readKeys(
  { until }: Between,
  reader: Reader,
  tokens: readonly string[],
): Promise<ReadonlyMap<string, TokenKeys | undefined>> {
  if (tokens.length === 0) return new Map();
  const tenantKey = reader.tenantKey(until.tenant);
  const lineages = await readLineages(until, tenantKey, tokens.map(keyOf));
  return new Map(tokens.map((token, nth) => [token, keysOf(reader, tenantKey, lineages[nth]!)]));
}

const keyOf = (token: string): RuleKey => ruleKeyFromBytes(Buffer.from(token, 'hex'));

/**
 * Creates the function that says whether the rule alone stopped the token at its first use. The decision is the same
 * for all uses of a part.
 */
function createJudge(
  tenantKey: Uint8Array,
  rows: readonly RuleRow[],
  keys: ReadonlyMap<string, TokenKeys | undefined>,
): (use: Use) => boolean {
  const indexes = new Map<string, RuleIndex>();
  function indexOf(rule: string, { state, is_ended: isEnded }: PartRow): RuleIndex {
    const name = `${rule} ${state} ${isEnded}`;
    let index = indexes.get(name);
    if (index === undefined) {
      indexes.set(name, (index = createRuleIndex()));
      for (const row of rows) {
        if (row.rule === rule)
          index.add({
            ...(state === 'lifted' ? NO_END : termsAt(row, isEnded)),
            id: rule,
            seq: BigInt(row.seq),
            selector: selectorKey(tenantKey, row.selector),
          });
      }
    }
    return index;
  }
  return ({ group, part, rule }) => {
    const token = keys.get(group.token);
    return token !== undefined && indexOf(rule.rule, part).isStopped(token, group.at);
  };
}

/** As if the rule had not been lifted. */
const NO_END = { effect: 'block', before: 0, asOfOrder: false, reauthenticate: false } as const;

const termsAt = (row: RuleRow, isEnded: boolean) =>
  termsOf({
    seq: BigInt(row.seq),
    effect: row.effect,
    selector: row.selector,
    orderedMs: row.ordered_ms,
    before: row.before_at ?? undefined,
    until: row.until_at ?? undefined,
    resume: row.resume,
    reauthenticate: row.reauthenticate,
    turnedMs: isEnded ? (row.turned_ms ?? undefined) : undefined,
  });

/**
 * Builds the lines. Several selectors of a rule may find the same uses of a token; the selector that found most counts.
 */
function toLines(uses: readonly Use[]): Line[] {
  const lines = new Map<string, Map<string, Use>>();
  for (const use of uses) {
    const { group, part, rule } = use;
    const name = [rule.rule, part.state, group.client, group.res, group.usr, group.agent].join(' ');
    const ofLine = lines.get(name) ?? new Map<string, Use>();
    lines.set(name, ofLine);
    const same = `${group.token} ${part.is_ended}`;
    const known = ofLine.get(same);
    if (known === undefined || known.group.uses < group.uses) ofLine.set(same, use);
  }
  return [...lines.values()].map((ofLine) => lineOf([...ofLine.values()]));
}

function lineOf(uses: readonly Use[]): Line {
  const [{ group, part, rule }] = uses as readonly [Use, ...Use[]];
  const groups = uses.map((use) => use.group);
  const first = groups.reduce((one, other) =>
    other.at < one.at || (other.at === one.at && other.access < one.access) ? other : one,
  );
  return {
    kind: 'used-after-rule',
    client: group.client,
    res: group.res,
    first: Math.min(...groups.map(({ first_ix: ix }) => ix)),
    last: Math.max(...groups.map(({ last_ix: ix }) => ix)),
    what: {
      of: 'use',
      user: group.usr,
      agent: group.agent,
      at: first.at,
      access: first.access,
      lastAt: Math.max(...groups.map(({ last_at: at }) => at)),
      uses: groups.reduce((sum, { uses: count }) => sum + count, 0),
      tokens: new Set(groups.map(({ token }) => token)).size,
      atLeast: uses.some(({ part: { cut } }) => cut),
      rule: rule.rule,
      state: part.state,
      ended: uses.some((use) => use.part.is_ended) ? endOf(rule) : undefined,
      selector: { ...rule.selector },
    },
  };
}

/** Says how a block ended that has since acted as a revoke. */
const endOf = ({ turned_ms: turnedMs, turned_ix: entry, until_at: until }: RuleRow) =>
  turnedMs === null
    ? { by: 'until' as const, at: until!, entry: null }
    : { by: 'enabling' as const, at: Math.floor(turnedMs / 1_000), entry };
