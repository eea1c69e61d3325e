import { RescindError } from '../../contracts/index.js';
import type { RuleIndex } from '../../rules/index.js';

type Demand = 'stated' | 'confirmed' | 'none';

/** The lineage that a source's profile demands of its tokens: of those that came from an ID-JAG, and of others. */
export interface LineageProfile {
  readonly id_jag: Demand;
  readonly other: Demand;
}

/** A source as currently registered. */
export interface RegisteredSource {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly uri: string;
  readonly topic: string;
  readonly types: readonly string[];
  readonly jwks?: unknown;
  readonly jwks_uri?: string;
  readonly profile: { readonly skew: number; readonly lineage: LineageProfile };
  readonly disabled: boolean;
}

/** The part of the folded control state that questions need. `ControlState` implements it. */
export interface ControlView {
  tenant(id: string): { readonly name: string; readonly key: Uint8Array; readonly rules: RuleIndex } | undefined;
  source(id: string): RegisteredSource | undefined;
  sourceByName(name: string): RegisteredSource | undefined;
  sources(): Iterable<RegisteredSource>;
}

/** Looks things up in the control state for one answer. */
export interface Reader {
  /** Returns the key under which names and cursors are hashed. Throws `not-found` for an unknown tenant. */
  tenantKey(tenant: string): Uint8Array;
  tenantName(tenant: string): string;
  rules(tenant: string): RuleIndex;
  source(id: string): { id: string; name: string | null };
  /** Lists the sources of one tenant by name. */
  sources(tenant: string): readonly RegisteredSource[];
  /** Finds a source by name or id; undefined for another tenant's. */
  findSource(tenant: string, nameOrId: string): RegisteredSource | undefined;
  /** Returns the largest clock skew of the sources, seconds. */
  skew(sources: readonly string[]): number;
}

export function createReader(control: () => ControlView): Reader {
  const tenantOf = (id: string) => {
    const tenant = control().tenant(id);
    if (!tenant) throw new RescindError('not-found', { detail: 'no such tenant' });
    return tenant;
  };
  return {
    tenantKey: (id) => tenantOf(id).key,
    tenantName: (id) => tenantOf(id).name,
    rules: (id) => tenantOf(id).rules,
    source: (id) => ({ id, name: control().source(id)?.name ?? null }),
    sources: (tenant) =>
      [...control().sources()]
        .filter((source) => source.tenant === tenant)
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    findSource(tenant, nameOrId) {
      const source = control().sourceByName(nameOrId) ?? control().source(nameOrId);
      return source?.tenant === tenant ? source : undefined;
    },
    skew: (sources) => Math.max(0, ...sources.map((id) => control().source(id)?.profile.skew ?? 0)),
  };
}
