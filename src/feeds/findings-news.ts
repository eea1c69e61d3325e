import type { ShownFinding } from '../ocsf/index.js';

/** A finding, as `GET /v1/findings/{id}` shows it. */
export type TellableFinding = ShownFinding;

/** One change of a finding. */
export interface FindingNews {
  /** Position in the tenant's news: dense, from 1, in the order of the commits. */
  readonly seq: bigint;
  /** Id of the finding. */
  readonly finding: string;
  readonly what: string;
  readonly atMs: number;
}

/** Reads changes of findings. The folder `findings` keeps them. */
export interface NewsOfFindings {
  /** Returns the seq of the tenant's last news; 0n if it has had none. */
  last(tenant: string): Promise<bigint>;
  /** `missed`: news that were deleted before they were read. */
  read(tenant: string, after: bigint): Promise<{ readonly news: readonly FindingNews[]; readonly missed: bigint }>;
  /**
   * Returns a finding as `GET /v1/findings/{id}` shows it now; undefined if there is none. Without `payloads`: as it shows it to callers that may not
   * see payloads.
   */
  show(tenant: string, id: string, sees: { readonly payloads: boolean }): Promise<TellableFinding | undefined>;
}
