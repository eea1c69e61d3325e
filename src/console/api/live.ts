import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** Questions whose answers an event of `/v1/stream` changes. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  finding: ['/v1/findings', '/v1/findings/{id}', '/v1/findings/{id}/changes'],
  rule: ['/v1/revocations', '/v1/revocations/{id}', '/v1/revocations/preview'],
  coverage: ['/v1/coverage'],
};
/** Events of so long a time are followed by one look, so that many at once do not make the page restless. */
const GATHER_MS = 500;

/** Asks the questions that are shown again when `/v1/stream` tells that their answers changed. Returns whether the stream is open. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const stream = new EventSource('/v1/stream');
    const changed = new Set<string>();
    let timer: number | undefined;
    const look = (): void => {
      timer = undefined;
      void queries.invalidateQueries({ predicate: ({ queryKey }) => changed.has(String(queryKey[1])) });
      changed.clear();
    };
    const note = (paths: readonly string[]): void => {
      for (const path of paths) changed.add(path);
      timer ??= window.setTimeout(look, GATHER_MS);
    };
    for (const [event, paths] of Object.entries(CHANGES)) stream.addEventListener(event, () => note(paths));
    stream.addEventListener('gap', () => note(Object.values(CHANGES).flat()));
    stream.addEventListener('start', () => {
      setIsOpen(true);
      // The stream tells nothing of the time between the first answers and its own beginning.
      note(Object.values(CHANGES).flat());
    });
    stream.addEventListener('error', () => setIsOpen(false));
    return () => {
      stream.close();
      window.clearTimeout(timer);
    };
  }, [queries]);
  return isOpen;
}
