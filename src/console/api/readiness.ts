import { useQuery } from '@tanstack/react-query';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly code?: string;
}

/** Whether the process that answers is ready, and whether it takes events over Kafka. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

export const READINESS = ['readiness'] as const;
const AGAIN_MS = 5_000;
const TROUBLED_AGAIN_MS = 2_000;
/** The check of events over Kafka: a process without it answers and takes orders all the same. */
export const KAFKA = 'kafka';
/** The code of checks that find an older or another database in the place of the right one. */
export const BEHIND = 'control-log-behind';

/** Whether this process found that its database was replaced: it takes no order any more. */
export const isReplaced = (readiness: Readiness | null | undefined): boolean =>
  readiness?.checks.some(({ name, code }) => name === 'serving' && code === BEHIND) ?? false;

/** Asks whether the process is ready, more often while it is not. Null if the operator keeps that at another address. */
export function useReadiness() {
  return useQuery({
    queryKey: READINESS,
    queryFn: readReadiness,
    retry: false,
    refetchInterval: ({ state: { data, error } }) =>
      error === null && data?.checks.every(({ ok }) => ok) !== false ? AGAIN_MS : TROUBLED_AGAIN_MS,
  });
}

async function readReadiness(): Promise<Readiness | null> {
  const [own, intake] = await Promise.all([readReport('/health/ready'), readReport('/health/ready/ingest')]);
  if (own === null) return null;
  const others = own.checks.filter(({ name }) => name !== KAFKA);
  return { ready: own.ready, checks: [...others, ...(intake?.checks ?? []).filter(({ name }) => name === KAFKA)] };
}

async function readReport(path: string): Promise<Readiness | null> {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  return answer.status === 200 || answer.status === 503 ? ((await answer.json()) as Readiness) : null;
}
