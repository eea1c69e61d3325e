import type { TokenIssued } from './token-events.js';

/** The registered facts of a source that decide which audiences of a token are its own. */
export interface AudienceTerms {
  readonly resources: readonly string[];
  readonly profile: { readonly default_resource?: string; readonly ignored_audiences?: readonly string[] };
}

/**
 * Returns the facts with only those audiences and resources for which the source speaks; foreign ones stay in the payload and are not read.
 * `aud` is empty if none is the source's. Returns `data` itself if it names no foreign audience.
 */
export function withOwnAudience(data: TokenIssued, source: AudienceTerms): TokenIssued {
  // The audience of a refresh token is its RAS (design, section 4).
  const isOwn = (value: string): boolean =>
    source.resources.includes(value) || (data.kind === 'refresh' && value === data.iss);
  const { aud, resource } = data;
  if (aud.length > 0 && aud.every(isOwn) && (resource === undefined || resource.every(isOwn))) return data;
  const stated = statedAudience(aud, source.profile);
  return {
    ...data,
    aud: stated.filter(isOwn),
    ...(resource === undefined ? {} : { resource: resource.filter(isOwn) }),
  };
}

/** Returns the audiences, or the default resource if there are only ignored audiences or none. */
export function statedAudience(
  aud: readonly string[],
  { default_resource: fallback, ignored_audiences: ignored = [] }: AudienceTerms['profile'],
): readonly string[] {
  return fallback !== undefined && aud.every((value) => ignored.includes(value)) ? [fallback] : aud;
}
