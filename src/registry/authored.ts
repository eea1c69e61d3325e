import type { Authorship, Caller, NewControlRecord } from '../control/index.js';

/** Who gives a command, and in which tenant it acts. */
export type Actor = Pick<Caller, 'id' | 'tenant'>;

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
  const authorship: Authorship = { author: { caller: actor.id }, change };
  return { kind, tenant, subject: body.id, body: { ...body, ...authorship } } as NewControlRecord;
}
