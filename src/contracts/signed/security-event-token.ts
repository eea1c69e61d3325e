import { parseEventTime, type CloudEvent } from '../cloud-event.js';
import { SCHEMA_BASE } from '../events/event-schemas.js';
import { RescindError } from '../rescind-error.js';
import { isTyp } from './jws.js';

/** Names the audience of what a source signs for a tenant. A tenant's id is random, so no other tenant or deployment accepts it. */
export const audienceOfTenant = (tenant: string): string => `urn:rescind:${tenant}`;

/** Members of a JOSE header that name a key, or change what is signed or how it is read. A signed event never has one. */
const FOREIGN_MEMBERS = ['b64', 'crit', 'jku', 'jwk', 'x5c', 'x5u', 'zip'];

/** Says what is wrong with the header of a signed event; undefined if nothing is. Whether the source uses `alg` and `kid` is not checked. */
export function signedHeaderProblem(header: Readonly<Record<string, unknown>>, typ: string): string | undefined {
  if (!isTyp(header['typ'], typ)) return `\`typ\` must be "${typ}"`;
  if (typeof header['alg'] !== 'string') return '`alg` must be a string';
  if (typeof header['kid'] !== 'string') return '`kid` must name the key';
  const foreign = FOREIGN_MEMBERS.find((member) => header[member] !== undefined);
  return foreign === undefined ? undefined : `\`${foreign}\` is not allowed`;
}

const SCHEMA_SUFFIX = '.json';
const MS = 1_000;

type Members = Readonly<Record<string, unknown>>;

/**
 * Writes an event as the claims of a SET (RFC 8417). The members that the SET has no claim for, extensions of CloudEvents, are left out.
 *
 * @param iat epoch seconds
 */
export function setClaims(event: CloudEvent, audience: string, iat: number): Members {
  return {
    iss: event.source,
    aud: audience,
    iat,
    jti: event.id,
    toe: parseEventTime(event.time)! / MS,
    ...(event.subject === undefined ? {} : { sub_id: { format: 'opaque', id: event.subject } }),
    events: { [`${SCHEMA_BASE}${event.type}${SCHEMA_SUFFIX}`]: event.data },
  };
}

/**
 * Reads the claims of a SET as the envelope of a CloudEvent. Other claims than these are kept in the payload and not read. Throws
 * `invalid-envelope` for claims that no event can be read from, and for a SET that bounds its own validity (`exp`, `nbf`).
 */
export function setEnvelope(claims: unknown): Members {
  if (!isRecord(claims)) throw invalid('the claims of a SET must be a JSON object');
  const { iss, jti, toe, events, sub_id: subject } = claims;
  if (claims['exp'] !== undefined || claims['nbf'] !== undefined) throw invalid('a SET has neither `exp` nor `nbf`');
  if (typeof iss !== 'string') throw invalid('`iss` of a SET must be the registered URI of its source');
  if (typeof jti !== 'string') throw invalid('`jti` of a SET must be the id of its event');
  const [uri = '', ...others] = isRecord(events) ? Object.keys(events) : [];
  if (others.length > 0 || !uri.startsWith(SCHEMA_BASE) || !uri.endsWith(SCHEMA_SUFFIX))
    throw invalid(`\`events\` of a SET must have one member, ${SCHEMA_BASE}<type>${SCHEMA_SUFFIX}`);
  return {
    specversion: '1.0',
    type: uri.slice(SCHEMA_BASE.length, -SCHEMA_SUFFIX.length),
    source: iss,
    id: jti,
    time: timeOf(toe),
    ...(isRecord(subject) && subject['format'] === 'opaque' ? { subject: subject['id'] } : {}),
    data: (events as Members)[uri],
  };
}

/** The last second that a `Date` writes with a year of four digits. Events lie far before it. */
const MAX_SECONDS = 253_402_300_799;

function timeOf(toe: unknown): string {
  if (typeof toe !== 'number' || !(toe >= 0 && toe <= MAX_SECONDS))
    throw invalid('`toe` of a SET must be the time of its event in epoch seconds');
  return new Date(Math.round(toe * MS)).toISOString();
}

const invalid = (detail: string): RescindError => new RescindError('invalid-envelope', { detail });

/** Returns the bytes of the claims of a JWS in compact serialization, which must have been parsed before. */
export const claimsBytes = (jws: string): Buffer =>
  Buffer.from(jws.slice(jws.indexOf('.') + 1, jws.lastIndexOf('.')), 'base64url');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
