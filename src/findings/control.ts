/** The part of the folded control state that detections need. `Reader` of `query` implements it. */
export interface Control {
  tenantKey(tenant: string): Uint8Array;
  /** Largest clock skew of the sources, seconds. */
  skew(sources: readonly string[]): number;
}
