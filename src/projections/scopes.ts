import { MAX_SCOPE_LENGTH, MAX_SCOPES } from '../contracts/index.js';

/** Last scope of a grant or connection that has more scopes than are kept. No real scope can contain this character. */
export const MORE_SCOPES = '…';

/**
 * Adds the scopes of an event to the kept scopes, sorted; returns `kept` itself if nothing is added. At most as many are kept as one
 * token can hold. Further scopes are replaced by {@link MORE_SCOPES}: counting them would require keeping them all.
 */
export function addScopes(kept: readonly string[], said: readonly string[]): readonly string[] {
  if (kept.at(-1) === MORE_SCOPES) return kept;
  const known = new Set(kept);
  if (said.every((scope) => known.has(scope))) return kept;
  let length = kept.reduce((sum, scope) => sum + scope.length + 1, 0);
  for (const scope of said) {
    if (known.has(scope)) continue;
    length += scope.length + 1;
    const fits = known.size < MAX_SCOPES && length <= MAX_SCOPE_LENGTH + 1;
    known.add(fits ? scope : MORE_SCOPES);
    if (!fits) break;
  }
  return [...known].sort();
}

export const scopesIn = (scope: string | undefined): string[] => (scope ?? '').split(' ').filter((one) => one !== '');
