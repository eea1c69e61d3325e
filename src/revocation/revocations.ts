import { RescindError, canonicalJson } from '../contracts/index.js';
import type {
  Appended,
  Author,
  Caller,
  Command,
  Confirmed,
  ControlFollower,
  ControlLog,
  RuleRecord,
  Seq,
  Tenant,
} from '../control/index.js';
import { DEFAULT_CONFIRM_SHARE } from '../platform/config/index.js';
import { createConsequences, type Consequences, type Waits } from './consequences.js';
import { readLift, readOrder, readPreview, type Order } from './order-input.js';
import { createPreviewReader, type Preview, type PreviewReader } from '../selection/index.js';
import { mayRead, readsAll, requireOwnRule, requireReach } from './reach.js';
import { createOrderOwn, type OrderOwn } from './recorded/own-rules.js';
import {
  createRuleReader,
  type EnablingEvent,
  type RuleReader,
  type RuleReaderOptions,
  type StoredRule,
} from './recorded/rule-reader.pg.js';
import { ruleRecord } from './recorded/rule-record.js';
import { hasEnded, ruleView, type RuleView } from './recorded/rule-view.js';
import { createSurroundingsReader, type Surroundings, type SurroundingsReader } from './preview/surroundings.pg.js';

/** How long a retry under the same Idempotency-Key is recognised. */
const IDEMPOTENCY_KEPT_S = 48 * 3_600;
const IDEMPOTENCY_KEY_PATTERN = /^[!-~]{1,255}$/;
export const IDEMPOTENCY_KEY = { type: 'string', pattern: IDEMPOTENCY_KEY_PATTERN.source } as const;
export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;
/** Rules from which a page is chosen for a caller that may not read all of them. */
const LOOKED_AT = 1_000;

/** Answer to a confirmed order. */
export interface Confirmation {
  readonly id: string;
  /** Position in the control log; decimal. */
  readonly seq: string;
  /** Nodes that have applied the rule, guards that they vouch for, and nodes that left during the wait. */
  readonly confirmed: Confirmed;
  /** Milliseconds from the order's arrival until it is in force. */
  readonly ms: number;
  /**
   * The rule does not stop grants later than this (epoch seconds). Null: a block without an end, a token, an ID-JAG or a session, or
   * nothing is stopped.
   */
  readonly regrant_after: number | null;
  /** Whether the order had been given before, under the same Idempotency-Key or as the same lift. */
  readonly replayed: boolean;
}

/** Answer to a confirmed order, with its consequences unless the caller asked for the confirmation only. */
export type OrderConfirmation = Confirmation & Partial<Consequences>;

/** Answer to an order that is not waited for: it is stored, no more. */
export interface Accepted {
  readonly id: string;
  readonly seq: string;
  readonly in_force: false;
}

export interface LiftConfirmation extends Confirmation {
  /** Rules that still stop the block's selection, including the lift's own `revoke`. Null: not found out in time. */
  readonly other_rules?: Consequences['other_rules'];
  /** The `revoke` that the lift ordered, which keeps the blocked grants stopped. Absent with `resume`. */
  readonly revoke?: string;
}

/** Numbers that an order would hit, and the confirmation that it needs. */
export interface Foreseen extends Preview {
  /** The number that `confirm` of the order must give. Absent if no confirmation is needed. */
  readonly confirm?: number;
  readonly unknown?: Surroundings['unknown'] | null;
}

/** How much a caller wants to hear about an order in force. */
export type Wish = 'all' | 'minimal';

export interface RulePage {
  readonly revocations: readonly RuleView[];
  /** Send it back as `cursor` for older rules. Absent on the last page. A page with `next` may be short or empty. */
  readonly next?: string;
}

/**
 * Orders, lifts and shows rules. `order` and `lift` resolve when no process answers *active* for the rule's selection any more. If a rule
 * is stored but could not be confirmed, they reject with `not-confirmed` and the rule's `id` and `seq`; the same call again waits again.
 */
export interface Revocations {
  order(caller: Caller, body: unknown, idempotencyKey?: string, wish?: Wish): Promise<OrderConfirmation>;
  /** Resolves when the rule is stored. The rule may not be in force yet: `read` tells. */
  orderAsync(caller: Caller, body: unknown, idempotencyKey?: string): Promise<Accepted>;
  lift(caller: Caller, id: string, body: unknown, wish?: Wish): Promise<LiftConfirmation>;
  /** Counts what the order would hit, and orders nothing. An auditor may preview everything, others what they may revoke. */
  preview(caller: Caller, body: unknown): Promise<Preview>;
  /** Previews, and adds the confirmation that the order needs. */
  foresee(caller: Caller, body: unknown): Promise<Foreseen>;
  list(reader: Caller, query: { readonly cursor?: string; readonly limit?: string }): Promise<RulePage>;
  read(reader: Caller, id: string): Promise<RuleView>;
  /** Revokes a token for `/revoke` (RFC 7009). */
  readonly orderOwn: OrderOwn;
}

export interface RevocationsOptions extends RuleReaderOptions {
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  /** Serves readers: the list of rules, one rule, previews. Default: `pool`, which orders use. */
  readonly questionPool?: RuleReaderOptions['pool'];
  /** Percent of users or live tokens that a rule may hit without a confirmation. */
  readonly confirmShare?: number;
  /** How long counting may delay an order or its answer. */
  readonly waits?: Waits;
  /** Clock in epoch milliseconds. */
  readonly now?: () => number;
}

export function createRevocations({
  controlLog,
  follower,
  pool,
  questionPool = pool,
  confirmShare = DEFAULT_CONFIRM_SHARE,
  waits,
  now = Date.now,
}: RevocationsOptions): Revocations {
  const readers = {
    rules: createRuleReader({ pool }),
    shownRules: createRuleReader({ pool: questionPool }),
    previews: createPreviewReader({
      pool: questionPool,
      now,
      skew: (sources) => Math.max(0, ...sources.map((id) => follower.state.source(id)?.profile.skew ?? 0)),
    }),
    surroundings: createSurroundingsReader({ pool: questionPool }),
  };
  return createRevocationsOn({ controlLog, follower, confirmShare, ...(waits ? { waits } : {}), now, ...readers });
}

export interface RevocationsOnOptions
  extends Required<Pick<RevocationsOptions, 'controlLog' | 'follower' | 'confirmShare' | 'now'>>,
    Pick<RevocationsOptions, 'waits'> {
  /** Serves orders and lifts. */
  readonly rules: RuleReader;
  /** Serves readers. */
  readonly shownRules: RuleReader;
  readonly previews: PreviewReader;
  readonly surroundings: SurroundingsReader;
}

/** Creates the same on the given readers of rules, which need not be PostgreSQL's. */
export function createRevocationsOn({
  controlLog,
  follower,
  confirmShare,
  waits,
  now,
  rules,
  shownRules,
  previews,
  surroundings,
}: RevocationsOnOptions): Revocations {
  const { state } = follower;
  const seconds = (): number => Math.floor(now() / 1000);
  const consequences = createConsequences({ state, previews, surroundings, share: confirmShare, waits, now: seconds });
  const known = (tenant: Tenant, id: string) => ({ current: tenant.rules.get(id), head: state.head });
  const tenantOf = (caller: Caller): Tenant => {
    const tenant = state.tenant(caller.tenant);
    if (!tenant) throw new RescindError('forbidden', { detail: 'the tenant of the caller is gone' });
    return tenant;
  };

  /** Waits for the confirmation. `stopping`: the rule that stops something from now on, if there is one. */
  async function confirm(
    tenant: Tenant,
    id: string,
    stopping: string | undefined,
    appended: Appended,
    startedAt: number,
  ): Promise<Confirmation> {
    const seq = appended.lastSeq;
    let confirmed: Confirmed;
    try {
      confirmed = await follower.whenInForce(seq, tenant.id);
    } catch (error) {
      if (!(error instanceof RescindError) || error.code !== 'not-confirmed') throw error;
      throw new RescindError('not-confirmed', { cause: error.cause, extensions: { id, seq: String(seq) } });
    }
    return {
      id,
      seq: String(seq),
      confirmed,
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
      regrant_after: stopping === undefined ? null : regrantAfter(tenant, stopping),
      replayed: appended.replayed,
    };
  }

  /** Uses the largest skew of the tenant's sources, because the source of a future token is unknown. */
  function regrantAfter(tenant: Tenant, id: string): number | null {
    const rule = tenant.rules.get(id);
    // A token, an ID-JAG or a session is never granted again.
    if (!rule || rule.byIdentity) return null;
    const moment = rule.effect === 'revoke' ? rule.before : rule.until;
    if (moment === undefined) return null;
    return moment + skewOf(tenant);
  }

  const skewOf = (tenant: Tenant): number =>
    Math.max(
      0,
      ...[...state.sources()].filter((source) => source.tenant === tenant.id).map(({ profile }) => profile.skew),
    );

  /** Reads the events that turned those of these rules that were ordered by events. No other event ends a block. */
  const endsOf = (tenant: Tenant, stored: readonly StoredRule[]): Promise<ReadonlyMap<string, EnablingEvent>> =>
    shownRules.enablings(
      tenant.id,
      stored.flatMap(({ body, lift }) =>
        body.effect === 'block' && body.origin && !lift && tenant.rules.get(body.id)?.effect !== 'block'
          ? [body.id]
          : [],
      ),
    );

  async function firstRule({ firstSeq, lastSeq }: Appended): Promise<RuleRecord | undefined> {
    const records = await controlLog.readRange(firstSeq, lastSeq);
    return records.flatMap((record) => (record.kind === 'rule.ordered' ? [record.body] : []))[0];
  }

  /** Stores the rule durably. It may have been stored earlier, under the same Idempotency-Key. */
  async function store(
    tenant: Tenant,
    caller: Caller,
    body: unknown,
    idempotencyKey: string | undefined,
  ): Promise<Stored> {
    const order = readOrder(body, seconds());
    requireReach(caller.roles, order.selector);
    const once = idempotencyKey === undefined ? undefined : idempotent(caller, idempotencyKey, body);
    const counted = await consequences.ask(
      caller,
      tenant,
      order,
      skewOf(tenant),
      async () => once !== undefined && (await controlLog.isKnown(once.key)),
    );
    const { selector, on_behalf_of: _, confirm: __, ...told } = order;
    const record = ruleRecord(tenant, authorOf(caller, order), { selector }, told);
    const appended = await controlLog.append({ records: [record], ...(once ? { once } : {}) });
    if (!appended.same) throw new RescindError('idempotency-key-reused');
    const first = appended.replayed ? await firstRule(appended) : record.body;
    return { id: first!.id, appended, order, counted };
  }

  const preview: Revocations['preview'] = async (caller, body) => {
    const tenant = tenantOf(caller);
    const order = readPreview(body, seconds());
    if (!caller.roles.audit) requireReach(caller.roles, order.selector);
    return previews.read(tenant, order, skewOf(tenant));
  };

  return {
    async order(caller, body, idempotencyKey, wish = 'all') {
      const startedAt = performance.now();
      const tenant = tenantOf(caller);
      const { id, appended, order, counted } = await store(tenant, caller, body, idempotencyKey);
      // Counts while nodes confirm, which does not delay them.
      const counting =
        wish === 'minimal'
          ? undefined
          : counted
            ? Promise.resolve(counted)
            : consequences.count(tenant, order, skewOf(tenant));
      const confirmation = await confirm(tenant, id, id, appended, startedAt);
      if (!counting) return confirmation;
      return {
        ...confirmation,
        ...(await consequences.tell(
          { tenant, caller, selection: { selector: order.selector }, apart: [id] },
          counting,
        )),
      };
    },

    async orderAsync(caller, body, idempotencyKey) {
      const { id, appended } = await store(tenantOf(caller), caller, body, idempotencyKey);
      return { id, seq: String(appended.lastSeq), in_force: false };
    },

    async lift(caller, id, body, wish = 'all') {
      const startedAt = performance.now();
      const tenant = tenantOf(caller);
      const wanted = readLift(body);
      const { resume, reason } = wanted;
      const stored = await rules.find(tenant.id, id);
      if (!stored) throw new RescindError('not-found', { detail: 'no rule of this id' });
      requireOwnRule(caller, stored.body);
      const { selector, or, shape, key, or_keys: several } = stored.body;
      if (stored.body.effect !== 'block' || hasEnded(stored, known(tenant, id), seconds()))
        throw new RescindError('not-liftable');

      const author = authorOf(caller, wanted);
      const { reauthenticate } = stored.body;
      const revoke = resume
        ? undefined
        : ruleRecord(
            tenant,
            author,
            { selector, ...(or ? { or } : {}) },
            { effect: 'revoke', reauthenticate, reason, after_lift_of: id },
          );
      const lifted = {
        kind: 'rule.lifted',
        tenant: tenant.id,
        subject: id,
        body: {
          rule: id,
          ...(several === undefined ? {} : { several: { shape, key, or_keys: several } }),
          resume,
          reason,
          author,
        },
      } as const;
      const appended = await controlLog.append({
        // The revoke first: a process that reads only one of the two must not release what both of them stop.
        records: [...(revoke ? [revoke] : []), lifted],
        once: { key: ['lift', id], content: canonicalJson({ resume, reason, author }) },
      });
      if (!appended.same) throw new RescindError('already-lifted');
      const ordered = appended.replayed ? await firstRule(appended) : revoke?.body;
      const confirmation = await confirm(tenant, id, ordered?.id, appended, startedAt);
      const lift = { ...confirmation, ...(ordered ? { revoke: ordered.id } : {}) };
      if (wish === 'minimal') return lift;
      const { other_rules } = await consequences.tell(
        { tenant, caller, selection: { selector, ...(or ? { or } : {}) }, apart: [id] },
        NOTHING_COUNTED,
      );
      return { ...lift, other_rules };
    },

    preview,

    async foresee(caller, body) {
      const hits = await preview(caller, body);
      const tenant = tenantOf(caller);
      return { ...hits, ...(await consequences.foresee(tenant, readPreview(body, seconds()), hits, skewOf(tenant))) };
    },

    async list(reader, query) {
      const tenant = tenantOf(reader);
      const limit = readLimit(query.limit);
      // One rule more than requested tells whether there is a next page.
      const lookedAt = readsAll(reader) ? limit + 1 : LOOKED_AT;
      const page = await shownRules.page(tenant.id, readCursor(query.cursor), lookedAt);
      const readable = page.filter(({ body }) => mayRead(reader, body));
      const shown = readable.slice(0, limit);
      const [upTo, ends] = await Promise.all([follower.inForceUpTo(tenant.id), endsOf(tenant, shown)]);
      const revocations = shown.map((stored) =>
        ruleView(stored, known(tenant, stored.body.id), upTo, seconds(), ends.get(stored.body.id)),
      );
      if (readable.length > limit) return { revocations, next: writeCursor(shown.at(-1)!.seq) };
      return page.length === lookedAt ? { revocations, next: writeCursor(page.at(-1)!.seq) } : { revocations };
    },

    async read(reader, id) {
      const tenant = tenantOf(reader);
      // Both are read in any case: the time must not distinguish a rule that is not shown from one that does not exist.
      const [stored, upTo] = await Promise.all([shownRules.find(tenant.id, id), follower.inForceUpTo(tenant.id)]);
      if (!stored || !mayRead(reader, stored.body))
        throw new RescindError('not-found', { detail: 'no rule of this id' });
      return ruleView(stored, known(tenant, id), upTo, seconds(), (await endsOf(tenant, [stored])).get(id));
    },

    orderOwn: createOrderOwn({ controlLog, follower, rules, now }),
  };
}

interface Stored {
  readonly id: string;
  readonly appended: Appended;
  readonly order: Order;
  /** Numbers counted before the order was stored, if a confirmation was needed. */
  readonly counted: Preview | undefined;
}

const NOTHING_COUNTED = Promise.resolve(null);

function idempotent(caller: Caller, key: string, body: unknown): NonNullable<Command['once']> {
  if (!IDEMPOTENCY_KEY_PATTERN.test(key))
    throw new RescindError('invalid-idempotency-key', { detail: '1 to 255 visible ASCII characters' });
  return {
    key: ['idempotency', caller.tenant, caller.id, key],
    content: canonicalJson(body),
    keepSeconds: IDEMPOTENCY_KEPT_S,
  };
}

const authorOf = (caller: Caller, { on_behalf_of: person }: { readonly on_behalf_of?: string }): Author => ({
  caller: caller.id,
  ...(person === undefined ? {} : { on_behalf_of: person }),
});

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
