import type { EventDataOf, EventName } from '../contracts/index.js';
import {
  clientChanged,
  connectionChanged,
  detectionChanged,
  keyUsed,
  ledgerContinued,
  logKeyChanged,
  personErased,
  logGap,
  registryChanged,
  revocationLifted,
  revocationOrdered,
  tokenRevoked,
  userChanged,
} from './changes.js';
import { seal, type Attribution, type Body, type LedgerEvent, type OcsfEvent } from './event.js';
import { idJagDenied, idJagIssued, sessionEnded, tokenDenied, tokenIssued } from './grants.js';
import { accessAllowed, accessDenied, accessSummary } from './uses.js';

type Mapping<N extends EventName> = (data: EventDataOf[N], attribution?: Attribution) => Body;
/** Why an event has no OCSF form. */
interface LeftOut {
  readonly leftOut: string;
}

/** The OCSF form of every event. A new event does not compile without one, or a reason. */
export const MAPPINGS: { readonly [N in EventName]: Mapping<N> | LeftOut } = {
  'id-jag.issued': idJagIssued,
  'id-jag.denied': idJagDenied,
  'token.issued': tokenIssued,
  'token.denied': tokenDenied,
  'token.revoked': tokenRevoked,
  'token.seen': tokenIssued,
  'access.allowed': accessAllowed,
  'access.denied': accessDenied,
  'access.summary': accessSummary,
  'session.ended': sessionEnded,
  'user.disabled': userChanged('Disable'),
  'user.enabled': userChanged('Enable'),
  'client.disabled': clientChanged('Disable'),
  'client.enabled': clientChanged('Enable'),
  'connection.created': connectionChanged('Create'),
  'connection.updated': connectionChanged('Update'),
  'connection.deleted': connectionChanged('Delete'),
  'revocation.ordered': revocationOrdered,
  'revocation.lifted': revocationLifted,
  'source.changed': registryChanged('Source'),
  'caller.changed': registryChanged('Caller'),
  'tenant.changed': registryChanged('Tenant'),
  'introspection.counted': {
    leftOut: 'a count of questions about a token, best effort: no access, and `access.*` reports the calls themselves',
  },
  'log.gap': logGap,
  'finding.changed': {
    leftOut: 'what a person said of a finding, which is no entry itself: without the finding it says nothing',
  },
  'detection.changed': detectionChanged,
  'key.used': keyUsed,
  'ledger.continued': ledgerContinued,
  'log-key.changed': logKeyChanged,
  'person.erased': personErased,
};

/** Names the events that have no OCSF form. */
export const isLeftOut = (name: EventName): boolean => typeof MAPPINGS[name] !== 'function';

/** Returns the OCSF form of an event; undefined if it has none. */
export function toOcsf(event: LedgerEvent, product: { readonly version: string }): OcsfEvent | undefined {
  const mapping = MAPPINGS[event.name];
  if (typeof mapping !== 'function') return undefined;
  return seal(event, (mapping as Mapping<EventName>)(event.data as never, event.attribution), product);
}
