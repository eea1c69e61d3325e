import type { Detection } from '../detection.js';
import type { FindingItem } from './answers.js';

type Evidence = Pick<
  FindingItem,
  'user' | 'client' | 'resource' | 'token' | 'source' | 'entries' | 'details' | 'first_seen' | 'last_seen'
>;

/** Names the question that shows the evidence of a finding. */
export function seeOf(see: Detection['see'], finding: Evidence): string {
  const { token, source, entries, details, first_seen: first, last_seen: last } = finding;
  switch (see) {
    case 'token':
      if (token !== null) return `/v1/tokens/${token}`;
      break;
    case 'coverage':
      if (source !== null) return `/v1/sources/${source.id}/check`;
      break;
    case 'rule':
      if (details['rule'] !== undefined)
        return `/v1/reports/incident?rule=${encodeURIComponent(String(details['rule']))}`;
      break;
    case 'changes':
      return `/v1/changes?since=${secondsBefore(first)}&until=${secondsBehind(last)}`;
    case 'access':
    case 'entries':
      break;
  }
  const named = see === 'entries' ? '' : accessOf(finding);
  if (named !== '') return `/v1/access?${named}&from=${first}&to=${secondsBehind(last)}`;
  return entries[0] === undefined ? '/v1/coverage' : `/v1/entries/${entries[0]}`;
}

function accessOf({ user, client, resource }: Evidence): string {
  const named = { user: user?.entity, client: client?.entity, resource: resource?.entity };
  return Object.entries(named)
    .flatMap(([name, id]) => (id === undefined ? [] : [`${name}=${id}`]))
    .join('&');
}

const shifted = (time: string, seconds: number): string =>
  new Date(Date.parse(time) + seconds * 1_000).toISOString().replace(/\.\d{3}Z$/, 'Z');
const secondsBehind = (time: string): string => shifted(time, 1);
const secondsBefore = (time: string): string => shifted(time, -1);
