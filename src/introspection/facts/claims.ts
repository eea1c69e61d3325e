export type Claims = Readonly<Record<string, unknown>>;

/** One string or several (RFC 7519, section 4.1.3); empty for anything else. */
export function audienceOf({ aud }: Claims): readonly string[] {
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) && aud.every((value) => typeof value === 'string') ? aud : [];
}

/** One spelling of a set of scopes: their order says nothing (RFC 6749, section 3.3). */
export const scopeOf = (scope: string): string =>
  [...new Set(scope.split(' ').filter((one) => one !== ''))].sort().join(' ');

/** One spelling of the thumbprints that a token is bound to; other members are not compared. Empty without any. */
export const confirmationOf = ({ jkt, 'x5t#S256': certificate }: Claims): string =>
  jkt === undefined && certificate === undefined ? '' : JSON.stringify([jkt ?? 0, certificate ?? 0]);

/** The subject as a member of the active answer. */
export const subjectOf = (sub: string): string => `,"sub":${JSON.stringify(sub)}`;
