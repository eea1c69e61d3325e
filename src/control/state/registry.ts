import { createRuleIndex, type RuleIndex } from '../../rules/index.js';
import type { Authorship, CallerRecord, SourceRecord, TenantRecord } from '../log/records.js';

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly key: Buffer;
  readonly issuers?: readonly string[];
  readonly rules: RuleIndex;
  /** Counts the records of the tenant that this process has folded. What was remembered of its tokens under another number counts no more. */
  readonly version: number;
}
export type Source = SourceRecord & { readonly tenant: string };
/** `person`: set if a person who has signed in acts, who is no registered caller. */
export type Caller = CallerRecord & { readonly tenant: string; readonly person?: SignedIn };

/** A person who has signed in: the subject of an issuer. */
export interface SignedIn {
  readonly iss: string;
  readonly sub: string;
  /** Time of the sign-in, epoch seconds. */
  readonly authenticatedAt: number;
}

/** Tenants, sources and callers, each found by the names that it has. */
export interface Registry {
  tenant(id: string): Tenant | undefined;
  tenantByName(name: string): Tenant | undefined;
  tenants(): Iterable<Tenant>;
  source(id: string): Source | undefined;
  sourceByUri(uri: string): Source | undefined;
  sourceByName(name: string): Source | undefined;
  sourcesOfTopic(topic: string): readonly Source[];
  sources(): Iterable<Source>;
  caller(id: string): Caller | undefined;
  /** Finds a caller by the SHA-256 of a secret, base64url. The caller of this method must check whether the secret has expired. */
  callerBySecret(sha256: string): Caller | undefined;
  callers(): Iterable<Caller>;
}

/** The registry in JSON, for a dump. */
export interface DumpedRegistry {
  readonly tenants: readonly TenantRecord[];
  readonly sources: readonly Source[];
  readonly callers: readonly Caller[];
}

export interface RegistryFold {
  readonly lookups: Registry;
  /** Adds the tenant, or changes it and keeps its rules. */
  putTenant(record: TenantRecord): void;
  putSource(source: Source): void;
  putCaller(caller: Caller): void;
  dump(): DumpedRegistry;
  /** Takes what was dumped, with tenants that have no rules yet. */
  load(dumped: DumpedRegistry): void;
}

export function createRegistryFold(): RegistryFold {
  const tenants = new Map<string, Tenant>();
  const sources = new Map<string, Source>();
  const callers = new Map<string, Caller>();
  const callersBySecret = new Map<string, Caller>();
  const sourcesByUri = new Map<string, Source>();
  const sourcesByName = new Map<string, Source>();

  const lookups: Registry = {
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

  function putSource(source: Source): void {
    const before = sources.get(source.id);
    if (before) {
      sourcesByUri.delete(before.uri);
      sourcesByName.delete(before.name);
    }
    sources.set(source.id, source);
    sourcesByUri.set(source.uri, source);
    sourcesByName.set(source.name, source);
  }

  function putCaller(caller: Caller): void {
    for (const secret of callers.get(caller.id)?.secrets ?? []) callersBySecret.delete(secret.sha256);
    callers.set(caller.id, caller);
    for (const secret of caller.secrets) callersBySecret.set(secret.sha256, caller);
  }

  return {
    lookups,
    putTenant: (record) => void tenants.set(record.id, foldTenant(record, tenants.get(record.id))),
    putSource,
    putCaller,
    load(dumped) {
      // Rules of a load that was interrupted must not stay.
      for (const tenant of dumped.tenants) tenants.set(tenant.id, foldTenant(tenant));
      dumped.sources.forEach(putSource);
      dumped.callers.forEach(putCaller);
    },
    dump: () => ({
      tenants: [...tenants.values()].map(({ id, name, key, issuers }) => ({
        id,
        name,
        key: key.toString('base64url'),
        ...(issuers ? { issuers } : {}),
      })),
      sources: [...sources.values()].map(withoutAuthor),
      callers: [...callers.values()].map(withoutAuthor),
    }),
  };
}

/** Leaves out who made the change: an author may be a person, and a snapshot outlives an erasure. */
function withoutAuthor<R extends Source | Caller>(record: R): R {
  const { author: _author, change: _change, ...rest } = record as R & Authorship;
  return rest as unknown as R;
}

const foldTenant = ({ id, name, key, issuers }: TenantRecord, before?: Tenant): Tenant => ({
  id,
  name,
  key: Buffer.from(key, 'base64url'),
  ...(issuers ? { issuers } : {}),
  rules: before?.rules ?? createRuleIndex(),
  version: (before?.version ?? 0) + 1,
});
