import { MAX_SCOPE_LENGTH, MAX_SCOPES } from '../contracts/index.js';

/** Stands last among the scopes of a grant or connection that was said to have more than are kept. No scope can hold this letter. */
export const MORE_SCOPES = '…';

/**
 * Adds what an event says to the scopes that are kept, sorted; answers with `kept` itself where nothing is added. As many are kept
 * as one token can hold. Of further ones {@link MORE_SCOPES} alone is kept: to count them, they would all have to be kept.
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
