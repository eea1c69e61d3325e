import { statedAudience } from '../../contracts/index.js';
import type { Source, TokenProfile } from '../../control/index.js';
import { audienceOf, confirmationOf, scopeOf, subjectOf, type Claims } from '../facts/claims.js';
import type { KnownToken } from '../facts/known-token.js';
import type { Sharer } from '../facts/sharer.js';

/** The members of a JWT's text that its facts may state too. A member that it does not state is undefined: the facts alone say it. */
export interface TextStatement {
  readonly common: CommonStatement;
  readonly exp: number | undefined;
  readonly subject: string | undefined;
  readonly confirmation: string | undefined;
}

/** The claims that the texts of many tokens share, held once. */
export interface CommonStatement {
  readonly iss: string;
  readonly client: string | undefined;
  readonly scope: string | undefined;
  /** Undefined where `aud` is absent. */
  readonly aud: readonly string[] | undefined;
}

/** Audiences of one text; a JWT with more agrees with no facts. */
const MAX_AUDIENCES = 64;

const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'] as const;

/** A claim that no facts could agree with: of another type than facts have, or contradicted by another claim. */
export const CONTRADICTION = Symbol('contradiction');
type Read<T> = T | undefined | typeof CONTRADICTION;

/** Undefined where the claims contradict each other or have types that no facts have: such a text agrees with no facts. */
export function readStatement(
  claims: Claims,
  profile: TokenProfile,
  shared: Sharer<CommonStatement>,
): TextStatement | undefined {
  const { iss, exp, sub, cnf } = claims;
  const client = readClient(claims, profile);
  const scope = readScope(claims);
  const aud = readAudience(claims, profile);
  const confirmation = cnf === undefined ? undefined : readConfirmation(cnf);
  if (typeof iss !== 'string' || !isOptional(exp, 'number') || !isOptional(sub, 'string')) return undefined;
  if (client === CONTRADICTION || scope === CONTRADICTION || aud === CONTRADICTION || confirmation === CONTRADICTION)
    return undefined;
  const common = shared.share(JSON.stringify([iss, client ?? 0, scope ?? 0, aud ?? 0]), () => ({
    iss,
    client,
    scope,
    aud,
  }));
  return {
    common,
    exp: exp as number | undefined,
    subject: sub === undefined ? undefined : subjectOf(sub as string),
    confirmation,
  };
}

const isOptional = (value: unknown, type: 'number' | 'string'): boolean => value === undefined || typeof value === type;

/** The client by the claim that the profile names, else by those of the usual claims that are present, which must be equal. */
export function readClient(claims: Claims, { claims: { client_id: named } }: TokenProfile): Read<string> {
  const present = named === undefined ? CLIENT_CLAIMS.filter((name) => claims[name] !== undefined) : [named];
  const values = present.map((name) => (name === 'aud' ? onlyAudience(claims) : claims[name]));
  const [first] = values;
  if (values.some((value) => value !== first)) return CONTRADICTION;
  return first === undefined || typeof first === 'string' ? first : CONTRADICTION;
}

function onlyAudience(claims: Claims): unknown {
  const aud = audienceOf(claims);
  return aud.length === 1 ? aud[0] : claims['aud'];
}

/** `scope` or `scp`, a string or an array. Both may be present if they are the same set. */
function readScope({ scope, scp }: Claims): Read<string> {
  const sets = [scope, scp].filter((value) => value !== undefined).map(scopeSet);
  return sets.every((set) => set === sets[0]) ? sets[0] : CONTRADICTION;
}

function scopeSet(value: unknown): string | typeof CONTRADICTION {
  if (typeof value === 'string') return scopeOf(value);
  const isList =
    Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '' && !one.includes(' '));
  return isList ? scopeOf(value.join(' ')) : CONTRADICTION;
}

/** The resources that the text names as places for the token. */
export function statedResources(claims: Claims, profile: TokenProfile): readonly string[] {
  const aud = readAudience(claims, profile);
  return aud === CONTRADICTION ? [] : statedAudience(aud ?? [], profile);
}

/** An audience that is read as the client is no audience. */
export function readAudience(claims: Claims, { claims: { client_id: named } }: TokenProfile): Read<readonly string[]> {
  const { aud } = claims;
  if (aud === undefined || named === 'aud') return undefined;
  const audience = audienceOf(claims);
  if (audience.length === 0 && !(Array.isArray(aud) && aud.length === 0)) return CONTRADICTION;
  return audience.length > MAX_AUDIENCES ? CONTRADICTION : audience.toSorted();
}

/** A confirmation that holds neither thumbprint binds the token to something that cannot be compared. */
function readConfirmation(cnf: unknown): Read<string> {
  const isObject = typeof cnf === 'object' && cnf !== null && !Array.isArray(cnf);
  const confirmation = isObject ? confirmationOf(cnf as Claims) : '';
  return confirmation === '' ? CONTRADICTION : confirmation;
}

/** Members in which a text and its facts may differ. */
export type Differing = 'claims' | 'iss' | 'client_id' | 'exp' | 'sub' | 'scope' | 'cnf' | 'aud';

/**
 * The first member that the text states otherwise than the facts, or undefined where they agree: a member that the text does not state the
 * facts alone say. A token whose text and facts differ is somebody's mistake or somebody's attack, and the answer must not choose between the
 * two. `source` recorded the facts.
 */
export function differing(
  text: TextStatement | undefined,
  { common: facts, exp, subject, confirmation }: KnownToken,
  source: Source,
): Differing | undefined {
  if (text === undefined) return 'claims';
  const { common } = text;
  if (common.iss !== facts.iss) return 'iss';
  if (text.exp !== exp) return 'exp';
  if (common.client !== undefined && common.client !== facts.client) return 'client_id';
  if (text.subject !== undefined && text.subject !== subject) return 'sub';
  if (common.scope !== undefined && common.scope !== facts.scope) return 'scope';
  if (text.confirmation !== undefined && text.confirmation !== confirmation) return 'cnf';
  return agreesInAudience(common.aud ?? [], facts, source) ? undefined : 'aud';
}

/** The facts' audiences are in the text, and the text names no resource of the source that the facts hide. Foreign audiences say nothing. */
function agreesInAudience(
  aud: readonly string[],
  { aud: recorded, named }: KnownToken['common'],
  { resources, profile }: Source,
): boolean {
  const stated = statedAudience(aud, profile);
  return (
    recorded.every((value) => stated.includes(value)) &&
    stated.every((value) => named.includes(value) || !resources.includes(value))
  );
}
