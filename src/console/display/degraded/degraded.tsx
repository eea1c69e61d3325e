import { Alert, Text } from '@mantine/core';
import { notifyManager, useQueryClient, type Query, type QueryCache } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { problemOf } from '../../api/problem.js';
import { READINESS, useReadiness } from '../../api/readiness.js';
import { Moment } from '../moment.js';
import classes from './degraded.module.css';
import { troublesOf } from './trouble.js';

const UNAVAILABLE = 503;
const ME = '/v1/me';

/** Says what is wrong with the service, what that means here, and how old the page is. The frame shows it, and each drawer that covers the frame. */
export function Degraded() {
  const { data: readiness, error } = useReadiness();
  const refusal = useShown(refusalOf);
  const oldest = useShown(oldestOf);
  const troubles = troublesOf(readiness, error !== null, refusal);
  if (troubles.length === 0) return null;
  const isOld = troubles.some(({ makesOld }) => makesOld);
  return (
    <Alert
      className={classes.banner}
      color="yellow"
      mb="md"
      py="xs"
      role="status"
      title={isOld ? 'The service is degraded' : 'Part of the service is degraded'}
    >
      {troubles.map(({ what, consequence }) => (
        <Text key={what} size="sm">
          <b>{what}</b> {consequence}
        </Text>
      ))}
      {isOld && oldest !== undefined && (
        <Text size="sm">
          What is shown was read at <Moment at={new Date(oldest).toISOString()} /> or later, and may have changed since.
        </Text>
      )}
    </Alert>
  );
}

/** Asks everything that is shown anew when a trouble is over. */
export function useRecovery(): void {
  const queries = useQueryClient();
  const { data: readiness, error } = useReadiness();
  const failing = error === null ? (readiness?.checks.filter(({ ok }) => !ok).length ?? 0) : Infinity;
  const failedBefore = useRef(0);
  useEffect(() => {
    if (failing < failedBefore.current)
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== READINESS[0] });
    failedBefore.current = failing;
  }, [failing, queries]);
}

/** Reads something of the questions that are shown now, and follows it. */
function useShown<T extends string | number | undefined>(read: (shown: readonly Query[]) => T): T {
  const cache: QueryCache = useQueryClient().getQueryCache();
  // A question that another component begins while it is drawn must not redraw this one at once.
  const subscribe = useCallback((tell: () => void) => cache.subscribe(notifyManager.batchCalls(tell)), [cache]);
  return useSyncExternalStore(subscribe, () =>
    read(cache.getAll().filter((query) => query.isActive() && query.queryKey[0] !== READINESS[0])),
  );
}

/** The refusal of the first question that gets no answer now; `fetch` rejects with a TypeError if nobody answers. */
function refusalOf(shown: readonly Query[]): string | undefined {
  for (const { state } of shown) {
    const failure = state.error ?? state.fetchFailureReason;
    if (failure === null) continue;
    const { status, title, detail } = problemOf(failure);
    if (status === UNAVAILABLE || failure instanceof TypeError) return detail ?? title;
  }
  return undefined;
}

/** When the oldest answer that is shown was read. Who asks is no part of what a page shows. */
function oldestOf(shown: readonly Query[]): number | undefined {
  const read = shown
    .filter(({ queryKey, state }) => state.dataUpdatedAt > 0 && queryKey[1] !== ME)
    .map(({ state }) => state.dataUpdatedAt);
  return read.length === 0 ? undefined : Math.min(...read);
}
