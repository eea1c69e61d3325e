import {
  canonicalJson,
  eventType,
  type EventDataOf,
  type OwnEventName,
  type RevocationOrdered,
} from '../../contracts/index.js';
import type { Authorship, ControlRecord } from '../../control/index.js';
import { prepareEntry, type NewEntry } from '../../log/index.js';

export interface OwnEvent<N extends OwnEventName = OwnEventName> {
  readonly tenant: { readonly id: string; readonly key: Uint8Array };
  readonly name: N;
  readonly id: string;
  readonly timeMs: number;
  readonly data: EventDataOf[N];
}

/** Names Rescind's own source in a tenant's ledger. Its source id is the tenant's id. */
export const ownSource = (tenant: string): string => `urn:rescind:${tenant}`;

/** Makes an entry for an event of Rescind's own: mode `own`, bytes in the event's RFC 8785 form (wire.md, "Entry"). */
export function prepareOwnEvent({ tenant, name, id, timeMs, data }: OwnEvent): NewEntry {
  const said = { type: eventType(name), source: ownSource(tenant.id), id, time: new Date(timeMs).toISOString(), data };
  return prepareEntry({
    tenant: tenant.id,
    tenantKey: tenant.key,
    type: said.type,
    source: tenant.id,
    eventId: id,
    mode: 'own',
    headers: [],
    bytes: Buffer.from(canonicalJson({ specversion: '1.0', ...said })),
  });
}

type Said = Pick<OwnEvent, 'name' | 'data'>;

/**
 * Returns the ledger event of a control record; undefined for `subject.enabled`, which the source's own event already says, and for the `tenant.changed` of an
 * erasure, which `person.erased` says.
 */
export function ownEventOf(record: ControlRecord): Said | undefined {
  const seq = String(record.seq);
  switch (record.kind) {
    case 'rule.ordered': {
      const { id, effect, selector, or, before, until, resume, reauthenticate, reason, author, origin, after_lift_of } =
        record.body;
      const cause = origin && { source: author.caller, id: origin.event };
      return {
        name: 'revocation.ordered',
        data: {
          rule: id,
          seq,
          effect,
          selector,
          or: or as RevocationOrdered['or'],
          before,
          until,
          resume,
          reauthenticate,
          reason,
          author,
          cause,
          after_lift_of,
        },
      };
    }
    case 'rule.lifted': {
      const { rule, resume, reason, author } = record.body;
      return {
        name: 'revocation.lifted',
        data: { rule, seq, at: Math.floor(record.at / 1000), resume, reason, author },
      };
    }
    case 'tenant.changed':
      if (record.body.change === 'person-erased') return undefined;
      return registryChange('tenant.changed', record.body.id, seq, record.body);
    case 'source.changed':
      return registryChange('source.changed', record.body.id, seq, record.body);
    case 'caller.changed':
      return registryChange('caller.changed', record.body.id, seq, record.body);
    case 'subject.enabled':
      return undefined;
    default:
      return record satisfies never;
  }
}

/** The authorship of a change that is an entry. */
type Recorded = Required<Omit<Authorship, 'change'>> & {
  readonly change: Exclude<Authorship['change'], 'person-erased' | undefined>;
};

/**
 * Describes a changed record in its new state, without secrets' hashes and secret keys, which must not enter a log that others read. The public
 * keys of a source belong to it: an auditor verifies by them what the source signed.
 */
function registryChange(
  name: 'tenant.changed' | 'source.changed' | 'caller.changed',
  id: string,
  seq: string,
  body: object,
): Said {
  const { author, change, key: _key, secrets: _secrets, ...after } = body as Recorded & Record<string, unknown>;
  return { name, data: { id, seq, change, author, after } };
}
