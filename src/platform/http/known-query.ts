import { RescindError } from '../../contracts/index.js';

/**
 * Pipe for query parameters: `@Query(knownQuery('limit')) query`. Refuses parameters that the route does not know or that are given
 * twice: the caller must not believe that a misspelt or inapplicable parameter was applied.
 */
export const knownQuery = <N extends string>(...known: readonly N[]) => ({
  transform(query: unknown): { readonly [K in N]?: string } {
    for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
      const isKnown = (known as readonly string[]).includes(name);
      if (!isKnown)
        throw new RescindError('invalid-request', {
          detail: `unknown parameter \`${name.slice(0, 64)}\`; ${known.length === 0 ? 'there are none here' : `known are ${known.join(', ')}`}`,
        });
      if (typeof value !== 'string')
        throw new RescindError('invalid-request', { detail: `\`${name}\` is given more than once` });
    }
    return query as { readonly [K in N]?: string };
  },
});
