import type { Author, Caller, NewControlRecord } from '../control/index.js';

/** Who gives a command, and in which tenant it acts. */
export type Actor = Pick<Caller, 'id' | 'tenant'>;

export type Change = 'created' | 'updated' | 'disabled' | 'secret-added' | 'secret-removed';

/** Kept in the record's body beside its members: the ledger entry that follows says who changed what (wire.md, own events). */
export interface Authorship {
  readonly author: Author;
  readonly change: Change;
}

type RegistryKind = 'tenant.changed' | 'source.changed' | 'caller.changed';
type BodyOf<K extends RegistryKind> = Extract<NewControlRecord, { kind: K }>['body'];

export function authoredRecord<K extends RegistryKind>(
  kind: K,
  actor: Actor,
  tenant: string,
  body: BodyOf<K>,
  change: Change,
): NewControlRecord {
  const authorship: Authorship = { author: { caller: actor.id }, change };
  return { kind, tenant, subject: body.id, body: { ...body, ...authorship } } as NewControlRecord;
}
