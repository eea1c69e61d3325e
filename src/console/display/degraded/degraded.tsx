import { Alert } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { problemOf } from '../api/problem.js';

const UNAVAILABLE = 503;

/** Says that the service cannot answer now, as long as a question that is shown gets no answer. */
export function Degraded() {
  const cache = useQueryClient().getQueryCache();
  const subscribe = useCallback((tell: () => void) => cache.subscribe(tell), [cache]);
  const says = useSyncExternalStore(subscribe, () => {
    for (const query of cache.getAll()) {
      const { error, fetchFailureReason } = query.state;
      const problem = query.isActive() && (error ?? fetchFailureReason);
      if (problem && problemOf(problem).status === UNAVAILABLE) {
        const { title, detail } = problemOf(problem);
        return detail ?? title;
      }
    }
    return undefined;
  });
  if (says === undefined) return null;
  return (
    <Alert color="yellow" mb="md" role="status" title="The service is degraded">
      {says} What is shown may be old. The console asks again by itself.
    </Alert>
  );
}
