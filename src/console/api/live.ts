import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isOfPast } from './moment.js';
import { listen } from './stream.js';

/** Questions whose answers an event of `/v1/stream` changes. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  finding: ['/v1/findings', '/v1/findings/{id}', '/v1/findings/{id}/changes'],
  rule: ['/v1/revocations', '/v1/revocations/{id}', '/v1/revocations/preview'],
  coverage: ['/v1/coverage'],
};
/** Events of so long a time are followed by one look, so that many at once do not make the page restless. */
const GATHER_MS = 500;

/** Asks the questions that are shown again when `/v1/stream` tells that their answers changed; those about the past have none. Returns whether the stream is open. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const changed = new Set<string>();
    let timer: number | undefined;
    const look = (): void => {
      timer = undefined;
      void queries.invalidateQueries({
        predicate: (query) => changed.has(String(query.queryKey[1])) && !isOfPast(query),
      });
      changed.clear();
    };
    const note = (paths: readonly string[]): void => {
      for (const path of paths) changed.add(path);
      timer ??= window.setTimeout(look, GATHER_MS);
    };
    const all = Object.values(CHANGES).flat();
    const stop = listen(
      {
        ...Object.fromEntries(Object.entries(CHANGES).map(([event, paths]) => [event, () => note(paths)])),
        gap: () => note(all),
        // The stream tells nothing of the time between the first answers and its own beginning.
        start: () => note(all),
      },
      setIsOpen,
    );
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [queries]);
  return isOpen;
}
