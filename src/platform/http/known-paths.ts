/** Tells which methods the framework's routes take, by the path of a request. */
export interface KnownPaths {
  /** `pattern`: such as `/v1/sources/:id`. */
  add(pattern: string, method: string | readonly string[]): void;
  /**
   * Returns the methods for a request's target, which may have a query; none if no route has its path. A route without parameters owns its
   * path: `/v1/quarantine/replay` is not taken for `/v1/quarantine/:id`.
   */
  methodsOf(target: string): readonly string[];
  /** Whether a route without parameters has this path but does not take this method. */
  refuses(method: string, target: string): boolean;
}

export function createKnownPaths(): KnownPaths {
  const methods = new Map<string, Set<string>>();
  return {
    add(pattern, method) {
      // A wildcard route has no known paths.
      if (pattern.includes('*')) return;
      const known = methods.get(pattern) ?? new Set();
      for (const one of [method].flat()) known.add(one);
      methods.set(pattern, known);
    },
    methodsOf(target) {
      const path = pathOf(target);
      const own = methods.get(path);
      if (own) return [...own].toSorted();
      const found = [...methods].filter(([pattern]) => fits(pattern, path)).flatMap(([, known]) => [...known]);
      return [...new Set(found)].toSorted();
    },
    refuses: (method, target) => methods.get(pathOf(target))?.has(method) === false,
  };
}

const pathOf = (target: string): string => target.split('?', 1)[0]!;

function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((segment, at) => (segment.startsWith(':') ? given[at] !== '' : segment === given[at]))
  );
}
