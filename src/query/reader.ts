import { RescindError } from '../contracts/index.js';
import type { RuleIndex } from '../rules/index.js';

/** What the questions need of the state that is folded from the control log. `ControlState` is one. */
export interface ControlView {
  tenant(id: string): { readonly name: string; readonly key: Uint8Array; readonly rules: RuleIndex } | undefined;
  source(id: string): { readonly tenant: string; readonly name: string; readonly profile: { readonly skew: number } } | undefined;
}

/** The same for one answer, in its own words. */
export interface Reader {
  /** Keys names and cursors. Throws `not-found` for a tenant that is not there. */
  tenantKey(tenant: string): Uint8Array;
  tenantName(tenant: string): string;
  rules(tenant: string): RuleIndex;
  source(id: string): { id: string; name: string | null };
  /** Largest clock skew of the sources, seconds. */
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
    skew: (sources) => Math.max(0, ...sources.map((id) => control().source(id)?.profile.skew ?? 0)),
  };
}
