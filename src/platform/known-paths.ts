/** Knows which methods the routes of the framework take, by the path of a request. */
export interface KnownPaths {
  /** `pattern`: `/v1/sources/:id`. */
  add(pattern: string, method: string | readonly string[]): void;
  /** Of a request's target, which may have a query; nothing if no route has its path. */
  methodsOf(target: string): readonly string[];
}

export function createKnownPaths(): KnownPaths {
  const methods = new Map<string, Set<string>>();
  return {
    add(pattern, method) {
      // A wildcard stands for no path that anybody could know.
      if (pattern.includes('*')) return;
      const known = methods.get(pattern) ?? new Set();
      for (const one of [method].flat()) known.add(one);
      methods.set(pattern, known);
    },
    methodsOf(target) {
      const path = target.split('?', 1)[0]!;
      const found = [...methods].filter(([pattern]) => fits(pattern, path)).flatMap(([, known]) => [...known]);
      return [...new Set(found)].toSorted();
    },
  };
}

function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return wanted.length === given.length && wanted.every((segment, at) => (segment.startsWith(':') ? given[at] !== '' : segment === given[at]));
}
