import {
  EVENT_TOPIC_PREFIX,
  eventsBoundBy,
  implies,
  RescindError,
  type SourceEventName,
} from '../../contracts/index.js';
import type { ControlState, SourceRecord } from '../../control/index.js';
import type { SourceUpdate } from '../inputs.js';
import { checkKeys, MAX_KEYS, type Jwk } from '../keys/jwks-check.js';
import { isAllowedScheme } from '../keys/jwks-fetch.js';
import { tokenProfile } from './profiles.js';

const ISSUER_TYPES = eventsBoundBy('issuers');
const RESOURCE_TYPES = eventsBoundBy('resources');

/** RFC 3986, section 4.3: a scheme, and something after it. CloudEvents compares the text, so it is never normalised. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/;

const needs = (types: readonly SourceEventName[], member: 'issuers' | 'resources') =>
  implies(
    { required: ['types'], properties: { types: { type: 'array', contains: { enum: types } } } },
    { required: [member], properties: { [member]: { minItems: 1 } } },
  );

/** JSON Schema of the conditions between members that {@link sourceRecord} refuses by, for OpenAPI. */
export const SOURCE_CONDITIONS = {
  allOf: [
    {
      properties: {
        uri: { pattern: ABSOLUTE_URI.source },
        jwks_uri: { pattern: '^https?://[^/?#@]+(?:[/?][^#]*)?$' },
        jwks: { properties: { keys: { maxItems: MAX_KEYS } } },
      },
    },
    needs(ISSUER_TYPES, 'issuers'),
    needs(RESOURCE_TYPES, 'resources'),
    { not: { required: ['jwks', 'jwks_uri'] } },
    implies(
      { required: ['signature'], properties: { signature: { const: 'required' } } },
      { anyOf: [{ required: ['jwks'] }, { required: ['jwks_uri'] }] },
    ),
  ],
} as const;

interface Identity {
  readonly id: string;
  readonly name: string;
  readonly uri: string;
}

/** Builds the record that `input` describes and checks it alone; {@link checkSourceAmong} compares it with registered sources. */
export function sourceRecord(
  identity: Identity,
  input: SourceUpdate,
  disabled: boolean,
  jwksAllowedHosts: readonly string[],
): SourceRecord {
  if (!ABSOLUTE_URI.test(identity.uri)) refuse('`uri` must be an absolute URI or a URN');
  const issuers = input.issuers ?? [];
  const resources = input.resources ?? [];
  const needing = (types: readonly SourceEventName[]) => input.types.find((type) => types.includes(type));
  if (issuers.length === 0 && needing(ISSUER_TYPES)) refuse(`a source of ${needing(ISSUER_TYPES)} needs \`issuers\``);
  if (resources.length === 0 && needing(RESOURCE_TYPES))
    refuse(`a source of ${needing(RESOURCE_TYPES)} needs \`resources\``);
  if (input.jwks && input.jwks_uri !== undefined) refuse('`jwks` and `jwks_uri` exclude each other');
  if (input.jwks_uri !== undefined) checkJwksUri(input.jwks_uri, jwksAllowedHosts);
  const keys = input.jwks && checkKeys(input.jwks.keys);
  if (input.signature === 'required') checkSigningKeys(keys, input.jwks_uri);
  const profile = tokenProfile(input.profile ?? {}, resources);
  if (profile.announced === 'optional' && !input.types.includes('token.issued'))
    refuse('`profile.announced` can be `optional` only for a source of token.issued');
  return {
    id: identity.id,
    name: identity.name,
    uri: identity.uri,
    topic: input.topic ?? ownTopic(identity.name),
    types: input.types,
    issuers,
    resources,
    ...(keys ? { jwks: { keys } } : {}),
    ...(input.jwks_uri === undefined ? {} : { jwks_uri: input.jwks_uri }),
    profile,
    ...(input.signature === 'required' ? { signature: 'required' } : {}),
    disabled,
  };
}

export const ownTopic = (name: string): string => `${EVENT_TOPIC_PREFIX}${name}`;

/**
 * Checks a record against other sources: name and URI are unique in the deployment; an issuer and a topic belong to one tenant. A source
 * that spoke for another tenant's issuer could revoke there, or feed its events into that tenant's topic.
 */
export function checkSourceAmong(state: ControlState, tenant: string, record: SourceRecord): void {
  const byName = state.sourceByName(record.name);
  if (byName && byName.id !== record.id) takenBy(byName, tenant, 'a source with this name is registered');
  const byUri = state.sourceByUri(record.uri);
  if (byUri && byUri.id !== record.id) takenBy(byUri, tenant, 'a source with this URI is registered');
  const allowed = state.tenant(tenant)?.issuers;
  const foreign = record.issuers.find((issuer) => allowed !== undefined && !allowed.includes(issuer));
  if (foreign !== undefined)
    throw new RescindError('forbidden', {
      detail: 'one of `issuers` is not among those that the operator gave the tenant',
    });
  for (const other of state.sources()) {
    if (other.tenant === tenant) continue;
    const hasIssuer = other.issuers.some((issuer) => record.issuers.includes(issuer));
    const hasTopic =
      other.topic === record.topic || ownTopic(other.name) === record.topic || other.topic === ownTopic(record.name);
    if (hasIssuer || hasTopic) taken(TAKEN);
  }
}

/** The only words about other tenants' sources: they do not say which member is taken or by whom. */
const TAKEN = 'its name, its URI, its topic or one of its issuers is not available';

const takenBy = (other: { readonly tenant: string }, tenant: string, detail: string): never =>
  taken(other.tenant === tenant ? detail : TAKEN);

/** A source that must sign needs a key that its events can name. */
function checkSigningKeys(keys: readonly Jwk[] | undefined, uri: string | undefined): void {
  if (!keys && uri === undefined) refuse('`signature` can be `required` only for a source with `jwks` or `jwks_uri`');
  if (keys && !keys.some(({ kid }) => kid !== undefined))
    refuse('`signature` can be `required` only if a key of `jwks` has a `kid`, which signed events name');
}

function checkJwksUri(text: string, allowedHosts: readonly string[]): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.hash !== ''
  ) {
    throw new RescindError('invalid-jwks', {
      detail: '`jwks_uri` must be an https URL without user information and fragment',
    });
  }
  if (!isAllowedScheme(url, allowedHosts)) {
    throw new RescindError('invalid-jwks', {
      detail:
        '`jwks_uri` must be https; http is accepted only at a loopback host that JWKS_ALLOWED_HOSTS of the service names',
    });
  }
}

function refuse(detail: string): never {
  throw new RescindError('invalid-request', { detail });
}

function taken(detail: string): never {
  throw new RescindError('already-exists', { detail });
}
