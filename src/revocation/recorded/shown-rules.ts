import { RescindError } from '../../contracts/index.js';
import type { Caller, ControlFollower, Seq, Tenant } from '../../control/index.js';
import { mayRead, readsAll } from '../reach.js';
import type { EnablingEvent, RuleReader, StoredRule } from './rule-reader.pg.js';
import type { Effect } from '../../rules/index.js';
import { RULE_STATES, ruleView, stateOf, type RuleView } from './rule-view.js';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;
/** Rules from which a page is chosen if some of them are not shown: by the right of the caller, or by a filter. */
const LOOKED_AT = 1_000;
export const EFFECTS = ['block', 'revoke'] as const satisfies readonly Effect[];

/** Parameters of the list, as the query has them. */
export interface RuleQuery {
  readonly cursor?: string;
  readonly limit?: string;
  /** States with commas between them. */
  readonly state?: string;
  readonly effect?: string;
}

export interface RulePage {
  readonly revocations: readonly RuleView[];
  /** Send it back as `cursor` for older rules. Absent on the last page. A page with `next` may be short or empty. */
  readonly next?: string;
}

/** How many rules stop something now, and how many parties apply them. */
export interface Standing {
  readonly rules: number;
  /** Null: this process has not read them yet. */
  readonly nodes: number | null;
  readonly guards: number | null;
}

/** Shows rules to those who may read them. */
export interface ShownRules {
  /** Reads memory alone. For those who may read every rule. */
  standing(reader: Caller): Standing;
  list(reader: Caller, query: RuleQuery): Promise<RulePage>;
  read(reader: Caller, id: string): Promise<RuleView>;
}

export interface ShownRulesOptions {
  readonly follower: ControlFollower;
  readonly rules: RuleReader;
  /** Throws `forbidden` if the tenant is gone. */
  readonly tenantOf: (reader: Caller) => Tenant;
  /** Epoch seconds. */
  readonly now: () => number;
}

export function createShownRules({ follower, rules, tenantOf, now }: ShownRulesOptions): ShownRules {
  const { state } = follower;
  const known = (tenant: Tenant, id: string) => ({ current: tenant.rules.get(id), head: state.head });

  /** Reads the events that turned those of these rules that were ordered by events. No other event ends a block. */
  const endsOf = (tenant: Tenant, stored: readonly StoredRule[]): Promise<ReadonlyMap<string, EnablingEvent>> =>
    rules.enablings(
      tenant.id,
      stored.flatMap(({ body, lift }) =>
        body.effect === 'block' && body.origin && !lift && tenant.rules.get(body.id)?.effect !== 'block'
          ? [body.id]
          : [],
      ),
    );

  return {
    standing(reader) {
      const { nodes = null, guards = null } = follower.measured();
      return { rules: tenantOf(reader).rules.count(now()), nodes, guards };
    },

    async list(reader, query) {
      const tenant = tenantOf(reader);
      const limit = readLimit(query.limit);
      const states = readChoices('state', query.state?.split(','), RULE_STATES);
      const effects = readChoices('effect', query.effect === undefined ? undefined : [query.effect], EFFECTS);
      const showsAll = readsAll(reader) && states === undefined && effects === undefined;
      // One rule more than requested tells whether there is a next page.
      const lookedAt = showsAll ? limit + 1 : LOOKED_AT;
      const page = await rules.page(tenant.id, readCursor(query.cursor), lookedAt);
      const readable = page.filter(
        (stored) =>
          mayRead(reader, stored.body) &&
          (effects?.includes(stored.body.effect) ?? true) &&
          (states?.includes(stateOf(stored, known(tenant, stored.body.id), now())) ?? true),
      );
      const shown = readable.slice(0, limit);
      const [upTo, ends] = await Promise.all([follower.inForceUpTo(tenant.id), endsOf(tenant, shown)]);
      const revocations = shown.map((stored) =>
        ruleView(stored, known(tenant, stored.body.id), upTo, now(), ends.get(stored.body.id)),
      );
      if (readable.length > limit) return { revocations, next: writeCursor(shown.at(-1)!.seq) };
      return page.length === lookedAt ? { revocations, next: writeCursor(page.at(-1)!.seq) } : { revocations };
    },

    async read(reader, id) {
      const tenant = tenantOf(reader);
      // Both are read in any case: the time must not distinguish a rule that is not shown from one that does not exist.
      const [stored, upTo] = await Promise.all([rules.find(tenant.id, id), follower.inForceUpTo(tenant.id)]);
      if (!stored || !mayRead(reader, stored.body))
        throw new RescindError('not-found', { detail: 'no rule of this id' });
      return ruleView(stored, known(tenant, id), upTo, now(), (await endsOf(tenant, [stored])).get(id));
    },
  };
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PAGE;
  const limit = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_PAGE)
    throw new RescindError('invalid-request', { detail: `\`limit\` must be 1 to ${MAX_PAGE}` });
  return limit;
}

function readChoices<Value extends string>(
  name: string,
  given: readonly string[] | undefined,
  known: readonly Value[],
): readonly Value[] | undefined {
  const unknown = given?.find((one) => !known.includes(one as Value));
  if (unknown !== undefined)
    throw new RescindError('invalid-request', { detail: `\`${name}\` must be one of ${known.join(', ')}` });
  return given as readonly Value[] | undefined;
}

const writeCursor = (seq: Seq): string => Buffer.from(`rules ${seq}`).toString('base64url');

function readCursor(cursor: string | undefined): Seq | undefined {
  if (cursor === undefined) return undefined;
  const seq = /^rules ([1-9]\d{0,17})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (seq === undefined) throw new RescindError('invalid-cursor');
  return BigInt(seq) as Seq;
}
