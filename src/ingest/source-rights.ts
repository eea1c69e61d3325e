import { RescindError, type EventDataOf, type SourceEventName } from '../contracts/index.js';
import type { Source } from '../control/index.js';

type Data<N extends SourceEventName> = EventDataOf[N];

/**
 * Whether a source may say this: its types, the issuers and resources that it speaks for (open question C20). Throws
 * `type-not-allowed`, `unsigned-on-shared-topic`, `wrong-issuer` or `wrong-resource`.
 */
export function checkSourceRights(name: SourceEventName, data: EventDataOf[SourceEventName], source: Source, sharedTopic: boolean): void {
  if (!source.types.includes(name)) throw new RescindError('type-not-allowed', { detail: name });
  // On a shared topic nothing says which of its writers wrote; only usage is taken on anybody's word.
  if (sharedTopic && !name.startsWith('access.')) throw new RescindError('unsigned-on-shared-topic', { detail: name });
  switch (name) {
    case 'token.issued':
      checkIssuer((data as Data<'token.issued'>).iss, source);
      checkAudience(data as Data<'token.issued'>, source);
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

/** The audience of a refresh token is its RAS (design, section 4). */
function checkAudience(data: Data<'token.issued'>, source: Source): void {
  const allowed = data.kind === 'refresh' ? [...source.resources, data.iss] : source.resources;
  for (const resource of [...data.aud, ...(data.resource ?? [])]) {
    if (!allowed.includes(resource)) throw new RescindError('wrong-resource', { detail: resource });
  }
}

function checkAccess(data: Data<'access.allowed'>, source: Source): void {
  if (data.token.iss !== undefined) checkIssuer(data.token.iss, source);
  for (const resource of data.resource ?? []) {
    if (!source.resources.includes(resource)) throw new RescindError('wrong-resource', { detail: resource });
  }
}
