import {
  EVENTS,
  RescindError,
  type EventDataOf,
  type Party,
  type SaidBy,
  type SourceEventName,
} from '../../contracts/index.js';
import type { Source } from '../../control/index.js';

type DataSaidBy<P extends Party> = EventDataOf[SaidBy<P>];

/**
 * Checks that a source may say this: its event types, and the issuers and resources that it speaks for (open question C20). Throws
 * `type-not-allowed`, `unsigned-on-shared-topic`, `wrong-issuer` or `wrong-resource`.
 */
export function checkSourceRights(
  name: SourceEventName,
  data: EventDataOf[SourceEventName],
  source: Source,
  sharedTopic: boolean,
): void {
  if (!source.types.includes(name)) throw new RescindError('type-not-allowed', { detail: name });
  const { speaker } = EVENTS[name];
  // On a shared topic nothing tells which source wrote a record, so only usage is accepted there.
  if (sharedTopic && speaker !== 'resource-server')
    throw new RescindError('unsigned-on-shared-topic', { detail: name });
  if (speaker === 'resource-server') {
    checkAccess(data as DataSaidBy<'resource-server'>, source);
    return;
  }
  checkIssuer((data as DataSaidBy<'idp' | 'authorization-server'>).iss, source);
  if (name === 'token.issued') checkAudience(data as EventDataOf['token.issued']);
}

function checkIssuer(issuer: string, source: Source): void {
  if (!source.issuers.includes(issuer)) throw new RescindError('wrong-issuer', { detail: issuer });
}

/** Refuses a token without an own audience. `withOwnAudience` has already left out the foreign ones. */
function checkAudience({ aud }: EventDataOf['token.issued']): void {
  if (aud.length === 0) throw new RescindError('wrong-resource', { detail: NO_OWN_AUDIENCE });
}

const NO_OWN_AUDIENCE =
  '`aud` names none of the resources that the source is registered for; register one of them, or set `default_resource` in the profile for tokens without an audience';

function checkAccess(data: DataSaidBy<'resource-server'>, source: Source): void {
  if (data.token.iss !== undefined) checkIssuer(data.token.iss, source);
  for (const resource of data.resource ?? []) {
    if (!source.resources.includes(resource)) throw new RescindError('wrong-resource', { detail: resource });
  }
}
