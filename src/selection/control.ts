/** The part of the control state that a decision needs. */
export interface Control {
  /** Returns the key under which names are hashed. Throws `not-found` for an unknown tenant. */
  tenantKey(tenant: string): Uint8Array;
  /** Returns the largest clock skew of the sources, seconds. */
  skew(sources: readonly string[]): number;
}
