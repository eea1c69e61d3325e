import { Alert, Button, Center, Code, Loader, Stack, Text } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { useMoments } from '../api/moment.js';
import { problemOf } from '../api/problem.js';
import { Moment } from './moment.js';

const UNAUTHENTICATED = 401;
const NOT_FOUND = 'not-found';
const NO_SUCH_MOMENT = 'as-of-out-of-range';
/** Longer than any question takes while the service is well. */
const SLOW_MS = 4_000;

/** There is an answer, and nothing is in it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <Center mih={160} p="md">
      <Stack gap={4} align="center" ta="center">
        <Text fw={600}>{title}</Text>
        <Text size="sm" c="dimmed" component="div">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}

/** Waiting for an answer. Somebody who waits long is told that it is the service that is slow. */
export function Loading() {
  const [isSlow, setIsSlow] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setIsSlow(true), SLOW_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <Center mih={160} role="status">
      <Stack align="center" gap="xs">
        <Loader size="sm" aria-label="Loading" />
        {isSlow && (
          <Text size="sm" c="dimmed">
            The answer takes longer than usual.
          </Text>
        )}
      </Stack>
    </Center>
  );
}

/** The API's refusal, or a fault of the console: code and detail as they are, so that they can be looked up. */
export function Failed({ error, reset }: { readonly error: unknown; readonly reset?: () => void }) {
  const { code, title, detail, status } = problemOf(error);
  const { at } = useMoments();
  if (at !== undefined && code === NOT_FOUND)
    return (
      <Empty title="Not known at this moment">
        No event that had arrived by <Moment at={at} /> names it.
      </Empty>
    );
  if (code === NO_SUCH_MOMENT)
    return <Empty title="Nothing is known of this moment">It lies before the first event, or ahead.</Empty>;
  return (
    <Alert color="red" role="alert" title={status === UNAUTHENTICATED ? 'Nobody is signed in' : title}>
      <Stack gap="xs" align="flex-start">
        {detail !== undefined && <Text size="sm">{detail}</Text>}
        <Code>{code}</Code>
        {reset !== undefined && (
          <Button variant="default" onClick={reset}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
