import type { TokenIssued } from './token-events.js';

/** Decides which audiences of a token are its source's. */
export interface AudienceTerms {
  readonly resources: readonly string[];
  readonly profile: { readonly default_resource?: string; readonly ignored_audiences?: readonly string[] };
}

/**
 * Returns the facts with the audiences and resources that the source speaks for; foreign ones stay in the payload and are not read. `aud` is
 * empty if none is the source's. Returns `data` itself when it names no foreign one.
 */
export function withOwnAudience(data: TokenIssued, source: AudienceTerms): TokenIssued {
  // The audience of a refresh token is its RAS (design, section 4).
  const isOwn = (value: string): boolean => source.resources.includes(value) || (data.kind === 'refresh' && value === data.iss);
  const { aud, resource } = data;
  if (aud.length > 0 && aud.every(isOwn) && (resource === undefined || resource.every(isOwn))) return data;
  const stated = statedAudience(aud, source.profile);
  return { ...data, aud: stated.filter(isOwn), ...(resource === undefined ? {} : { resource: resource.filter(isOwn) }) };
}

/** The audiences, or the default resource where there are none but ignored ones. */
export function statedAudience(aud: readonly string[], { default_resource: fallback, ignored_audiences: ignored = [] }: AudienceTerms['profile']): readonly string[] {
  return fallback !== undefined && aud.every((value) => ignored.includes(value)) ? [fallback] : aud;
}
