/** Facts about the caller's tenant and the time, which every setting may need. */
export interface SettingFacts {
  /** Returns the key under which the names of a tenant are hashed. Throws `not-found` for an unknown tenant. */
  tenantKey(tenant: string): Uint8Array;
  /** Returns the current time in epoch seconds. */
  now(): number;
}

export const SETTING_FACTS = Symbol('rescind.setting-facts');
