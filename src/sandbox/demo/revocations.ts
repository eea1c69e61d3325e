import type { Selector } from '../../rules/index.js';
import type { RescindAdmin } from '../rescind-admin.js';

/** Answer of `POST /v1/revocations` (wire.md). */
export interface Ordered {
  readonly id: string;
  readonly seq: string;
  readonly confirmed: { readonly nodes: number; readonly guards: number; readonly expired: number };
  readonly ms: number;
  /** The rule does not stop what is granted later than this. null: nothing is, or everything will be. */
  readonly regrant_after: string | null;
}

/** The person on whose behalf the order is made; Rescind stores the person beside the caller. */
const ANALYST = 'dana@security.example';

export function block(analyst: RescindAdmin, selector: Selector, reason: string): Promise<Ordered> {
  return analyst.post('/v1/revocations', { selector, effect: 'block', reason, on_behalf_of: ANALYST });
}

export function lift(analyst: RescindAdmin, id: string, reason: string): Promise<Ordered> {
  return analyst.post(`/v1/revocations/${encodeURIComponent(id)}/lift`, { reason, on_behalf_of: ANALYST });
}

export function describeOrder({ id, seq, confirmed, ms }: Ordered): string {
  const nodes = `${confirmed.nodes} ${confirmed.nodes === 1 ? 'node' : 'nodes'}`;
  const guards = `${confirmed.guards} ${confirmed.guards === 1 ? 'guard' : 'guards'}`;
  return `rule ${id} at seq ${seq}: in force on ${nodes} and ${guards} after ${ms} ms`;
}
