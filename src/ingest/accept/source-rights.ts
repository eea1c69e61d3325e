import { RescindError, type EventDataOf, type SourceEventName } from '../../contracts/index.js';
import type { Source } from '../../control/index.js';

type Data<N extends SourceEventName> = EventDataOf[N];

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
  // On a shared topic nothing tells which source wrote a record, so only usage is accepted there.
  if (sharedTopic && !name.startsWith('access.')) throw new RescindError('unsigned-on-shared-topic', { detail: name });
  switch (name) {
    case 'token.issued':
      checkIssuer((data as Data<'token.issued'>).iss, source);
      checkAudience(data as Data<'token.issued'>);
      return;
    case 'access.allowed':
    case 'access.denied':
    case 'access.summary':
      checkAccess(data as Data<'access.allowed'>, source);
      return;
    default:
      checkIssuer((data as { iss: string }).iss, source);
  }
}

function checkIssuer(issuer: string, source: Source): void {
  if (!source.issuers.includes(issuer)) throw new RescindError('wrong-issuer', { detail: issuer });
}

/** Refuses a token without an own audience. `withOwnAudience` has already left out the foreign ones. */
function checkAudience({ aud }: Data<'token.issued'>): void {
  if (aud.length === 0) throw new RescindError('wrong-resource', { detail: NO_OWN_AUDIENCE });
}

const NO_OWN_AUDIENCE =
  '`aud` names none of the resources that the source is registered for; register one of them, or set `default_resource` in the profile for tokens without an audience';

function checkAccess(data: Data<'access.allowed'>, source: Source): void {
  if (data.token.iss !== undefined) checkIssuer(data.token.iss, source);
  for (const resource of data.resource ?? []) {
    if (!source.resources.includes(resource)) throw new RescindError('wrong-resource', { detail: resource });
  }
}
