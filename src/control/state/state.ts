import { lastKnownUse, namesIdentity, reviewFrom, type NewRule, type RuleIndex } from '../../rules/index.js';
import { createEnabling } from './enabling.js';
import {
  CONTROL_RECORD_VERSION,
  recordedKeys,
  type ControlRecord,
  type LiftRecord,
  type RuleRecord,
  type Seq,
} from '../log/records.js';
import { readProfile } from '../log/token-profile.js';
import { createRegistryFold, type DumpedRegistry, type Registry } from './registry.js';

/**
 * The most selectors that a tenant may have from events, and from clients that revoke tokens nobody has seen: each process keeps
 * every selector in memory. Orders of people are added beyond this limit.
 */
export const MAX_STANDING_A_TENANT = 500_000;

/** One part of a dumped state: JSON of the registry, columns of one tenant's rules, or the enablings. */
export interface StatePart {
  readonly kind: 'registry' | 'rules' | 'enablings';
  /** Tenant of a `rules` part; null for the others. */
  readonly tenant: string | null;
  readonly bytes: Buffer;
}

/** A rule by identity whose last known use is so long ago that the rule may no longer be needed. */
export interface DueRule {
  readonly tenant: string;
  readonly rule: string;
  readonly lastUse: number;
}

export class UnknownRecordVersion extends Error {
  override readonly name = 'UnknownRecordVersion';
  readonly seq: Seq;
  constructor(record: ControlRecord) {
    super(
      `control record ${record.seq} has version ${record.version} of ${record.kind}, which this release cannot read`,
    );
    this.seq = record.seq;
  }
}

/** Everything that a decision depends on, folded from the control log in seq order. The same records give the same state. */
export interface ControlState extends Registry {
  readonly head: Seq;
  /** Time at which the record at `head` was committed, epoch milliseconds; 0 before the first record. */
  readonly headAt: number;
  /** Raised by every change of a tenant, source or caller. Values derived from them under another number are stale. */
  readonly registryVersion: number;
  apply(record: ControlRecord): void;
  /**
   * Drops rules that stop nothing any more; returns how many. `now` is epoch seconds of this process's clock. The earlier of `now`
   * and the last record's time counts, so that one clock that jumps ahead drops nothing.
   */
  compact(now: number): number;
  /**
   * Lists, by tenant, the rules by identity that may no longer be needed, each with its last known use (epoch seconds). `compact`
   * may not drop them, because only the ledger tells whether they are needed. `now` as for `compact`.
   */
  due(now: number): ReadonlyMap<string, readonly DueRule[]>;
  /** Drops a due rule, or keeps it because of a later use; `lastUse` comes from the ledger. Returns whether it dropped the rule. */
  settle(rule: DueRule, lastUse: number, now: number): boolean;
  /** Copies the whole state as of `head`, the enablings last. For a million rules this blocks the process for about 0.3 s. */
  dump(): readonly StatePart[];
  /**
   * Loads one part that another state of this release dumped. Load all parts in order, into a state without records. `head` is set
   * by the last part, so a load that was interrupted may be started again, or the log may be read from its start.
   */
  load(part: StatePart): void;
}

export function createControlState(): ControlState {
  let head = 0n as Seq;
  let registryVersion = 0;
  let headAt = 0;
  /** The registry of a load that has begun and not ended. */
  let loading: DumpedHead | undefined;
  const registry = createRegistryFold();
  const enabling = createEnabling();

  const rulesOf = (tenant: string): RuleIndex => registry.lookups.tenant(tenant)!.rules;

  /** The earlier of this process's clock and the last record's time, seconds. */
  const clockOf = (now: number): number => Math.min(now, seconds(headAt));

  function applyRule(record: ControlRecord, rule: RuleRecord): void {
    const [first, ...others] = foldRule(record, rule).map((row) =>
      rule.origin && rule.effect === 'block' ? enabling.order(row, rule.origin) : row,
    );
    rulesOf(record.tenant).put(first!, ...others);
  }

  function loadRegistry(dumped: DumpedHead & DumpedRegistry): void {
    if (head !== 0n) throw new TypeError('cannot load into a state that has records');
    registry.load(dumped);
    enabling.loadSpeakers(dumped.speakers);
    loading = dumped;
  }

  function endLoad(loaded: DumpedHead): void {
    head = BigInt(loaded.head) as Seq;
    ({ headAt, registryVersion } = loaded);
    loading = undefined;
  }

  return {
    ...registry.lookups,
    get head() {
      return head;
    },
    get headAt() {
      return headAt;
    },
    get registryVersion() {
      return registryVersion;
    },
    apply(record) {
      if (!(record.version >= 1 && record.version <= CONTROL_RECORD_VERSION)) throw new UnknownRecordVersion(record);
      if (record.seq <= head) return;
      switch (record.kind) {
        case 'tenant.changed':
          registry.putTenant(record.body);
          registryVersion++;
          break;
        case 'source.changed':
          registry.putSource({ ...record.body, profile: readProfile(record.body.profile), tenant: record.tenant });
          registryVersion++;
          break;
        case 'caller.changed':
          registry.putCaller({ ...record.body, tenant: record.tenant });
          registryVersion++;
          break;
        case 'rule.ordered':
          applyRule(record, record.body);
          break;
        case 'rule.lifted':
          lift(rulesOf(record.tenant), record.body);
          break;
        case 'subject.enabled':
          enabling.enable(rulesOf(record.tenant), recordedKeys(record.body), record.body.origin);
          break;
        default:
          throw new UnknownRecordVersion(record satisfies never);
      }
      head = record.seq;
      headAt = record.at;
    },
    due(now) {
      const clock = clockOf(now);
      return new Map(
        [...registry.lookups.tenants()].map(({ id, rules }) => [
          id,
          rules.due(clock).map((rule): DueRule => ({ tenant: id, rule: rule.id, lastUse: lastKnownUse(rule)! })),
        ]),
      );
    },
    settle({ tenant, rule: id }, lastUse, now) {
      const rules = rulesOf(tenant);
      const rule = rules.get(id);
      // The rule was lifted or replaced meanwhile.
      if (!rule || lastKnownUse(rule) === undefined) return false;
      const kept = { ...rule, before: Math.max(rule.before, lastUse) };
      const isDead = clockOf(now) >= reviewFrom(kept)!;
      if (isDead) rules.remove(id);
      else rules.put(kept);
      return isDead;
    },
    compact(now) {
      const clock = clockOf(now);
      return [...registry.lookups.tenants()].reduce((dropped, { rules }) => dropped + rules.compact(clock), 0);
    },
    dump() {
      const dumped: DumpedHead & DumpedRegistry = {
        head: String(head),
        headAt,
        registryVersion,
        ...registry.dump(),
        speakers: enabling.speakers(),
      };
      return [
        { kind: 'registry', tenant: null, bytes: Buffer.from(JSON.stringify(dumped)) },
        ...[...registry.lookups.tenants()].flatMap(({ id, rules }) =>
          rules.dump().map((bytes): StatePart => ({ kind: 'rules', tenant: id, bytes })),
        ),
        { kind: 'enablings', tenant: null, bytes: enabling.dump() },
      ];
    },
    load({ kind, tenant, bytes }) {
      switch (kind) {
        case 'registry':
          return loadRegistry(JSON.parse(bytes.toString()) as DumpedHead & DumpedRegistry);
        case 'rules':
          return rulesOf(tenant!).load(bytes);
        case 'enablings':
          enabling.load(bytes);
          return endLoad(loading!);
        default:
          throw new TypeError(`unknown part ${kind satisfies never}`);
      }
    },
  };
}

/** The rest of the first part of a dump. It counts once the last part is loaded. */
interface DumpedHead {
  readonly head: string;
  readonly headAt: number;
  readonly registryVersion: number;
  readonly speakers: readonly string[];
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** Returns one row for each selector of the rule. */
function foldRule(record: ControlRecord, rule: RuleRecord): NewRule[] {
  const ordered = seconds(record.at);
  const { shape, keys } = recordedKeys(rule);
  return keys.map((key) => ({
    id: rule.id,
    seq: record.seq,
    selector: { shape, key },
    isOneOfSeveral: keys.length > 1,
    effect: rule.effect,
    before: namesIdentity(rule.shape) ? ordered : (rule.before ?? ordered),
    asOfOrder: rule.effect === 'revoke' && rule.before === undefined,
    reauthenticate: rule.reauthenticate,
    until: rule.until,
    resume: rule.resume,
  }));
}

/** Removes a lifted block. The `revoke` that its lift orders is a record of its own. A `revoke` cannot be lifted. */
function lift(rules: RuleIndex, body: LiftRecord): void {
  rules.remove(body.rule, 'block');
}
