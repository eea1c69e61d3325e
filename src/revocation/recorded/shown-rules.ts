import { RescindError } from '../../contracts/index.js';
import type { Caller, ControlFollower, Seq, Tenant } from '../../control/index.js';
import { mayRead, readsAll } from '../reach.js';
import type { EnablingEvent, RuleReader, StoredRule } from './rule-reader.pg.js';
import { ruleView, type RuleView } from './rule-view.js';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;
/** Rules from which a page is chosen for a caller that may not read all of them. */
const LOOKED_AT = 1_000;

export interface RulePage {
  readonly revocations: readonly RuleView[];
  /** Send it back as `cursor` for older rules. Absent on the last page. A page with `next` may be short or empty. */
  readonly next?: string;
}

/** Shows rules to those who may read them. */
export interface ShownRules {
  list(reader: Caller, query: { readonly cursor?: string; readonly limit?: string }): Promise<RulePage>;
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
    async list(reader, query) {
      const tenant = tenantOf(reader);
      const limit = readLimit(query.limit);
      // One rule more than requested tells whether there is a next page.
      const lookedAt = readsAll(reader) ? limit + 1 : LOOKED_AT;
      const page = await rules.page(tenant.id, readCursor(query.cursor), lookedAt);
      const readable = page.filter(({ body }) => mayRead(reader, body));
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

const writeCursor = (seq: Seq): string => Buffer.from(`rules ${seq}`).toString('base64url');

function readCursor(cursor: string | undefined): Seq | undefined {
  if (cursor === undefined) return undefined;
  const seq = /^rules ([1-9]\d{0,17})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (seq === undefined) throw new RescindError('invalid-cursor');
  return BigInt(seq) as Seq;
}
