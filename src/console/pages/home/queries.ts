import { api, type Answer } from '../../api/client.js';
import { every, useMoment, useMoments } from '../../api/moment.js';
import { SEVERITIES } from '../../display/findings/finding-words.js';

export type Finding = Answer<'FindingItem'>;

/** No event tells of these changes, so the page asks again. */
const AGAIN_MS = 30_000;
/** Counting all live tokens is dearer. */
const COUNT_AGAIN_MS = 60_000;
const FINDINGS_READ = 100;
const RULES_READ = 50;
export const WORST = 5;
export const NEWEST = 5;

const useOpenFindings = (limit: number, severity?: Finding['severity']) =>
  api.useQuery(
    'get',
    '/v1/findings',
    { params: { query: { state: 'open', limit, severity, ...useMoment() } } },
    { refetchInterval: every(AGAIN_MS) },
  );

/**
 * The worst open findings and the number of open ones. The list knows one order, the newest evidence first, so those that are critical or high are
 * asked for by themselves.
 */
export function useWorstFindings() {
  const critical = useOpenFindings(WORST, 'critical');
  const high = useOpenFindings(2 * WORST, 'high');
  const all = useOpenFindings(FINDINGS_READ);
  const error = critical.error ?? high.error ?? all.error;
  const refetch = (): void => void [critical, high, all].forEach((query) => void query.refetch());
  if (!critical.data || !high.data || !all.data) return { data: undefined, error, refetch };
  const found = new Map([critical, high, all].flatMap(({ data }) => data!.items.map((one) => [one.id, one] as const)));
  const worst = [...found.values()].sort(isWorse).slice(0, WORST);
  const { as_of, items, next } = all.data;
  return { data: { worst, count: items.length, isMore: next !== undefined, readTo: as_of.index }, error, refetch };
}

const isWorse = (one: Finding, other: Finding): number =>
  SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity) ||
  Date.parse(other.last_seen) - Date.parse(one.last_seen);

/** The newest rules, and among them those that stop something. */
export function useRules() {
  return api.useQuery(
    'get',
    '/v1/revocations',
    { params: { query: { limit: RULES_READ } } },
    {
      refetchInterval: AGAIN_MS,
      select: ({ revocations = [] }) =>
        revocations.filter(({ state }) => state === 'live' || state === 'turned-revoke'),
    },
  );
}

/** Counts the rules that stop something, and the nodes and guards that apply them. */
export function useStanding() {
  return api.useQuery('get', '/v1/revocations/standing', {}, { refetchInterval: AGAIN_MS });
}

export function useCoverage() {
  return api.useQuery(
    'get',
    '/v1/coverage',
    { params: { query: { limit: 1, ...useMoment() } } },
    { refetchInterval: every(AGAIN_MS) },
  );
}

/** Everything that is live now, counted as a rule on all of it would hit it. Nothing is asked while the page shows the past. */
export function useLiveCounts() {
  const { at } = useMoments();
  return api.useQuery(
    'post',
    '/v1/revocations/preview',
    { body: { selector: { all: true } } },
    { refetchInterval: COUNT_AGAIN_MS, enabled: at === undefined },
  );
}

export function useCalls() {
  return api.useQuery(
    'get',
    '/v1/access/counts',
    { params: { query: { by: 'hour', from: '24h', ...useMoment() } } },
    { refetchInterval: every(AGAIN_MS) },
  );
}
