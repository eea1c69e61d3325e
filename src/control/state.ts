import { createRuleIndex, type Rule, type RuleIndex, type SelectorKey } from '../rules/index.js';
import {
  CONTROL_RECORD_VERSION,
  type CallerRecord,
  type ControlRecord,
  type EnableRecord,
  type LiftRecord,
  type RuleOrigin,
  type RuleRecord,
  type Seq,
  type SourceRecord,
  type TenantRecord,
} from './records.js';

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly key: Buffer;
  readonly rules: RuleIndex;
}
export type Source = SourceRecord & { readonly tenant: string };
export type Caller = CallerRecord & { readonly tenant: string };

export class UnknownRecordVersion extends Error {
  override readonly name = 'UnknownRecordVersion';
  readonly seq: Seq;
  constructor(record: ControlRecord) {
    super(`control record ${record.seq} has version ${record.version} of ${record.kind}, which this release cannot read`);
    this.seq = record.seq;
  }
}

/** Everything a decision depends on, folded from the control log in seq order. The same records give the same state. */
export interface ControlState {
  readonly head: Seq;
  /** Raised by every change of a tenant, source or caller: what was derived from them is stale. */
  readonly registryVersion: number;
  apply(record: ControlRecord): void;
  tenant(id: string): Tenant | undefined;
  tenantByName(name: string): Tenant | undefined;
  tenants(): Iterable<Tenant>;
  source(id: string): Source | undefined;
  sourceByUri(uri: string): Source | undefined;
  sourceByName(name: string): Source | undefined;
  sourcesOfTopic(topic: string): readonly Source[];
  sources(): Iterable<Source>;
  caller(id: string): Caller | undefined;
  /** By the SHA-256 of a secret, base64url; whether it has expired is the reader's to check. */
  callerBySecret(sha256: string): Caller | undefined;
  callers(): Iterable<Caller>;
}

export function createControlState(): ControlState {
  let head = 0n as Seq;
  let registryVersion = 0;
  const tenants = new Map<string, Tenant>();
  const sources = new Map<string, Source>();
  const callers = new Map<string, Caller>();
  const callersBySecret = new Map<string, Caller>();
  const sourcesByUri = new Map<string, Source>();
  const sourcesByName = new Map<string, Source>();
  const enabling = createEnabling();

  function applyRule(record: ControlRecord, rule: RuleRecord): void {
    const { rules } = tenants.get(record.tenant)!;
    const folded = foldRule(record, rule);
    rules.put(rule.origin && rule.effect === 'block' ? enabling.order(rules, folded, rule.origin) : folded);
  }

  function applySource(source: Source): void {
    const before = sources.get(source.id);
    if (before) {
      sourcesByUri.delete(before.uri);
      sourcesByName.delete(before.name);
    }
    sources.set(source.id, source);
    sourcesByUri.set(source.uri, source);
    sourcesByName.set(source.name, source);
  }

  function applyCaller(caller: Caller): void {
    for (const secret of callers.get(caller.id)?.secrets ?? []) callersBySecret.delete(secret.sha256);
    callers.set(caller.id, caller);
    for (const secret of caller.secrets) callersBySecret.set(secret.sha256, caller);
  }

  return {
    get head() {
      return head;
    },
    get registryVersion() {
      return registryVersion;
    },
    apply(record) {
      if (record.version !== CONTROL_RECORD_VERSION) throw new UnknownRecordVersion(record);
      if (record.seq <= head) return;
      switch (record.kind) {
        case 'tenant.changed':
          tenants.set(record.body.id, foldTenant(record.body, tenants.get(record.body.id)));
          registryVersion++;
          break;
        case 'source.changed':
          applySource({ ...record.body, tenant: record.tenant });
          registryVersion++;
          break;
        case 'caller.changed':
          applyCaller({ ...record.body, tenant: record.tenant });
          registryVersion++;
          break;
        case 'rule.ordered':
          applyRule(record, record.body);
          break;
        case 'rule.lifted':
          lift(tenants.get(record.tenant)!.rules, record.body);
          break;
        case 'subject.enabled':
          enabling.enable(tenants.get(record.tenant)!.rules, record.body);
          break;
        default:
          throw new UnknownRecordVersion(record satisfies never);
      }
      head = record.seq;
    },
    tenant: (id) => tenants.get(id),
    tenantByName: (name) => [...tenants.values()].find((tenant) => tenant.name === name),
    tenants: () => tenants.values(),
    source: (id) => sources.get(id),
    sourceByUri: (uri) => sourcesByUri.get(uri),
    sourceByName: (name) => sourcesByName.get(name),
    sourcesOfTopic: (topic) => [...sources.values()].filter((source) => source.topic === topic && !source.disabled),
    sources: () => sources.values(),
    caller: (id) => callers.get(id),
    callerBySecret: (sha256) => callersBySecret.get(sha256),
    callers: () => callers.values(),
  };
}

const foldTenant = (record: TenantRecord, known: Tenant | undefined): Tenant => ({
  id: record.id,
  name: record.name,
  key: Buffer.from(record.key, 'base64url'),
  rules: known?.rules ?? createRuleIndex(),
});

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

const selectorOf = (record: { readonly shape: number; readonly key: string }): SelectorKey => ({
  shape: record.shape,
  key: Buffer.from(record.key, 'base64url').toString('latin1'),
});

function foldRule(record: ControlRecord, rule: RuleRecord): Rule {
  return {
    id: rule.id,
    seq: record.seq,
    selector: selectorOf(rule),
    effect: rule.effect,
    before: rule.before ?? seconds(record.at),
    asOfOrder: rule.effect === 'revoke' && rule.before === undefined,
    reauthenticate: rule.reauthenticate,
    ...(rule.until === undefined ? {} : { until: rule.until }),
    ...(rule.resume ? { resume: true } : {}),
  };
}

/** A lifted block goes; the `revoke` that its lift orders is a record of its own. A `revoke` cannot be lifted. */
function lift(rules: RuleIndex, body: LiftRecord): void {
  if (rules.get(body.rule)?.effect === 'block') rules.remove(body.rule);
}

const asRevoke = (rule: Rule, eventTimeMs: number): Rule => ({
  id: rule.id,
  seq: rule.seq,
  selector: rule.selector,
  effect: 'revoke',
  before: seconds(eventTimeMs),
  asOfOrder: false,
  reauthenticate: false,
});

/** Disabling and enabling events of one source on one selector, in any order of arrival: event time decides, a tie blocks. */
function createEnabling() {
  const newestEnable = new Map<string, number>();
  const blocks = new Map<string, { readonly id: string; readonly at: number }[]>();
  const nameOf = (origin: RuleOrigin, selector: SelectorKey): string => `${origin.source}|${origin.subject ?? ''}|${selector.shape}|${selector.key}`;

  return {
    order(rules: RuleIndex, rule: Rule, origin: RuleOrigin): Rule {
      const name = nameOf(origin, rule.selector);
      if ((newestEnable.get(name) ?? -Infinity) > origin.at) return asRevoke(rule, origin.at);
      blocks.set(name, [...(blocks.get(name) ?? []).filter(({ id }) => rules.get(id)?.effect === 'block'), { id: rule.id, at: origin.at }]);
      return rule;
    },
    enable(rules: RuleIndex, record: EnableRecord): void {
      const name = nameOf(record.origin, selectorOf(record));
      newestEnable.set(name, Math.max(newestEnable.get(name) ?? -Infinity, record.origin.at));
      const rest = (blocks.get(name) ?? []).filter(({ id, at }) => {
        const rule = rules.get(id);
        if (rule?.effect !== 'block') return false;
        if (at >= record.origin.at) return true;
        rules.put(asRevoke(rule, record.origin.at));
        return false;
      });
      if (rest.length > 0) blocks.set(name, rest);
      else blocks.delete(name);
    },
  };
}
