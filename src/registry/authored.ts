import { authorOf } from '../contracts/index.js';
import type { Authorship, Caller, NewControlRecord } from '../control/index.js';

/**
 * The caller that gives a command, and the tenant in which it acts. `key`: id of the secret with which the caller authenticated; a waiting
 * command is refused if this secret is removed meanwhile. Without `key` nothing is checked again, because the process itself acts.
 */
export type Actor = Pick<Caller, 'id' | 'tenant' | 'person'> & { readonly key?: string };

export type Change = NonNullable<Authorship['change']>;

type RegistryKind = 'tenant.changed' | 'source.changed' | 'caller.changed';
type BodyOf<K extends RegistryKind> = Extract<NewControlRecord, { kind: K }>['body'];

export function authoredRecord<K extends RegistryKind>(
  kind: K,
  actor: Actor,
  tenant: string,
  body: BodyOf<K>,
  change: Change,
): NewControlRecord {
  const authorship: Authorship = { author: authorOf(actor), change };
  return { kind, tenant, subject: body.id, body: { ...body, ...authorship } } as NewControlRecord;
}
