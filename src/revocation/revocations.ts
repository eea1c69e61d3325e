import { RescindError, authorOf, canonicalJson } from '../contracts/index.js';
import type {
  Appended,
  Author,
  Caller,
  Command,
  ControlFollower,
  ControlLog,
  RuleRecord,
  Tenant,
} from '../control/index.js';
import { DEFAULT_CONFIRM_SHARE, DEFAULT_FRESH_USERS } from '../platform/config/index.js';
import { createConsequences, type Consequences, type Waits } from './consequences.js';
import { confirmInForce, largestSkew, type Confirmation } from './in-force-answer.js';
import { readLift, readOrder, readPreview, type Order } from './order-input.js';
import { createPreviewReader, type Preview, type PreviewReader } from '../selection/index.js';
import { requireOwnRule, requireReach } from './reach.js';
import { createOrderOwn, type OrderOwn } from './recorded/own-rules.js';
import { createRuleReader, type RuleReader, type RuleReaderOptions } from './recorded/rule-reader.pg.js';
import { ruleRecord } from './recorded/rule-record.js';
import { hasEnded } from './recorded/rule-view.js';
import { createShownRules, type ShownRules } from './recorded/shown-rules.js';
import { createSurroundingsReader, type Surroundings, type SurroundingsReader } from './preview/surroundings.pg.js';

/** How long a retry under the same Idempotency-Key is recognised. */
const IDEMPOTENCY_KEPT_S = 48 * 3_600;
const IDEMPOTENCY_KEY_PATTERN = /^[!-~]{1,255}$/;
export const IDEMPOTENCY_KEY = { type: 'string', pattern: IDEMPOTENCY_KEY_PATTERN.source } as const;

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

/**
 * Orders, lifts and shows rules. `order` and `lift` resolve when no process answers *active* for the rule's selection any more. If a rule
 * is stored but could not be confirmed, they reject with `not-confirmed` and the rule's `id` and `seq`; the same call again waits again.
 */
export interface Revocations {
  order(caller: Caller, body: unknown, idempotencyKey?: string, wish?: Wish): Promise<OrderConfirmation>;
  /** Resolves when the rule is stored. The rule may not be in force yet: `read` tells. */
  orderAsync(caller: Caller, body: unknown, idempotencyKey?: string): Promise<Accepted>;
  /** Orders for Rescind itself, once for ever under a key: any later call waits for the same rule, lifted or not. `caller` need not be registered. */
  orderOnce(caller: Caller, body: unknown, key: string): Promise<Confirmation>;
  /** Whether a rule was stored under the key of `orderOnce`. */
  isOrdered(caller: Caller, key: string): Promise<boolean>;
  lift(caller: Caller, id: string, body: unknown, wish?: Wish): Promise<LiftConfirmation>;
  /** Counts what the order would hit, and orders nothing. An auditor may preview everything, others what they may revoke. */
  preview(caller: Caller, body: unknown): Promise<Preview>;
  /** Previews, and adds the confirmation that the order needs. */
  foresee(caller: Caller, body: unknown): Promise<Foreseen>;
  readonly standing: ShownRules['standing'];
  readonly list: ShownRules['list'];
  readonly read: ShownRules['read'];
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
  /** An order of a person that hits more users needs a sign-in of the last five minutes. */
  readonly freshUsers?: number;
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
  freshUsers = DEFAULT_FRESH_USERS,
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
  return createRevocationsOn({
    controlLog,
    follower,
    confirmShare,
    freshUsers,
    ...(waits ? { waits } : {}),
    now,
    ...readers,
  });
}

export interface RevocationsOnOptions
  extends Required<Pick<RevocationsOptions, 'controlLog' | 'follower' | 'confirmShare' | 'freshUsers' | 'now'>>,
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
  freshUsers,
  waits,
  now,
  rules,
  shownRules,
  previews,
  surroundings,
}: RevocationsOnOptions): Revocations {
  const { state } = follower;
  const seconds = (): number => Math.floor(now() / 1000);
  const consequences = createConsequences({
    state,
    previews,
    surroundings,
    share: confirmShare,
    freshUsers,
    waits,
    now: seconds,
  });
  const skewOf = (tenant: Tenant): number => largestSkew(state, tenant);
  const tenantOf = (caller: Caller): Tenant => {
    const tenant = state.tenant(caller.tenant);
    if (!tenant) throw new RescindError('forbidden', { detail: 'the tenant of the caller is gone' });
    return tenant;
  };
  const shown = createShownRules({ follower, rules: shownRules, tenantOf, now: seconds });

  async function firstRule({ firstSeq, lastSeq }: Appended): Promise<RuleRecord | undefined> {
    const records = await controlLog.readRange(firstSeq, lastSeq);
    return records.flatMap((record) => (record.kind === 'rule.ordered' ? [record.body] : []))[0];
  }

  /** Stores the rule durably. It may have been stored earlier, under the same key. */
  async function store(
    tenant: Tenant,
    caller: Caller,
    body: unknown,
    onceFor: (caller: Caller, body: unknown) => Command['once'],
  ): Promise<Stored> {
    const order = readOrder(body, seconds());
    requireReach(caller.roles, order.selector);
    const once = onceFor(caller, body);
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
      const { id, appended, order, counted } = await store(tenant, caller, body, onceUnder(idempotencyKey));
      // Counts while nodes confirm, which does not delay them.
      const counting =
        wish === 'minimal'
          ? undefined
          : counted
            ? Promise.resolve(counted)
            : consequences.count(tenant, order, skewOf(tenant));
      const confirmation = await confirmInForce(follower, tenant, id, id, appended, startedAt);
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
      const { id, appended } = await store(tenantOf(caller), caller, body, onceUnder(idempotencyKey));
      return { id, seq: String(appended.lastSeq), in_force: false };
    },

    async orderOnce(caller, body, key) {
      const startedAt = performance.now();
      const tenant = tenantOf(caller);
      const once = { key: ownKey(caller, key), content: canonicalJson(body) };
      const { id, appended } = await store(tenant, caller, body, () => once);
      return confirmInForce(follower, tenant, id, id, appended, startedAt);
    },

    isOrdered: (caller, key) => controlLog.isKnown(ownKey(caller, key)),

    async lift(caller, id, body, wish = 'all') {
      const startedAt = performance.now();
      const tenant = tenantOf(caller);
      const wanted = readLift(body);
      const { resume, reason } = wanted;
      const stored = await rules.find(tenant.id, id);
      if (!stored) throw new RescindError('not-found', { detail: 'no rule of this id' });
      requireOwnRule(caller, stored.body);
      if (
        stored.body.effect !== 'block' ||
        hasEnded(stored, { current: tenant.rules.get(id), head: state.head }, seconds())
      )
        throw new RescindError('not-liftable');

      const author = authorOf(caller, wanted);
      const { revoke, lifted } = liftRecords(tenant, stored.body, { resume, reason, author });
      const appended = await controlLog.append({
        // The revoke first: a process that reads only one of the two must not release what both of them stop.
        records: [...(revoke ? [revoke] : []), lifted],
        once: { key: ['lift', id], content: canonicalJson({ resume, reason, author }) },
      });
      if (!appended.same) throw new RescindError('already-lifted');
      const ordered = appended.replayed ? await firstRule(appended) : revoke?.body;
      const confirmation = await confirmInForce(follower, tenant, id, ordered?.id, appended, startedAt);
      const lift = { ...confirmation, ...(ordered ? { revoke: ordered.id } : {}) };
      if (wish === 'minimal') return lift;
      const { other_rules } = await consequences.tell(
        { tenant, caller, selection: selectionOf(stored.body), apart: [id] },
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

    standing: shown.standing,
    list: shown.list,
    read: shown.read,
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

/** Returns the record that ends a block and, unless the grants are to resume, that of the `revoke` which keeps them stopped. */
function liftRecords(
  tenant: Tenant,
  block: RuleRecord,
  { resume, reason, author }: { readonly resume: boolean; readonly reason: string; readonly author: Author },
) {
  const { id, shape, key, or_keys: several, reauthenticate } = block;
  const terms = { effect: 'revoke', reauthenticate, reason, after_lift_of: id } as const;
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
  return { revoke: resume ? undefined : ruleRecord(tenant, author, selectionOf(block), terms), lifted };
}

const selectionOf = ({ selector, or }: RuleRecord) => ({ selector, ...(or ? { or } : {}) });

const NOTHING_COUNTED = Promise.resolve(null);

/** Key of an order of Rescind itself. No Idempotency-Key of a caller can be equal to it. */
const ownKey = ({ tenant, id }: Caller, key: string): readonly string[] => ['own order', tenant, id, key];

const onceUnder =
  (key: string | undefined) =>
  (caller: Caller, body: unknown): Command['once'] =>
    key === undefined ? undefined : idempotent(caller, key, body);

function idempotent(caller: Caller, key: string, body: unknown): NonNullable<Command['once']> {
  if (!IDEMPOTENCY_KEY_PATTERN.test(key))
    throw new RescindError('invalid-idempotency-key', {
      detail: '`Idempotency-Key` must be 1 to 255 visible ASCII characters',
    });
  return {
    key: ['idempotency', caller.tenant, caller.id, key],
    content: canonicalJson(body),
    keepSeconds: IDEMPOTENCY_KEPT_S,
  };
}
