import { type Ask, COUNTING_TIMEOUT_MS } from '../../projections/index.js';
import { asOfOf, momentToCursor } from '../ask/as-of.js';
import { resolveFilter } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { FILTER_PARAMETERS, invalid, readParameters } from '../ask/parameters.js';
import type { FollowPairs } from '../graph/pairs.pg.js';
import type { Reader } from '../ask/reader.js';
import { KINDS, type ChangeItem, type ChangePage } from './answers.js';
import { describeLines } from './describe.pg.js';
import { readGranted } from './granted.pg.js';
import { sortLines } from './lines.js';
import { readLines, type Between } from './read.pg.js';
import { findSince, readSince, sinceFromCursor, timeOfSince } from './since.js';

export const CHANGE_PARAMETERS = [
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.resource,
  'limit',
  'cursor',
] as const;
/** Parameters that only this question has; the controller documents them. */
export const CHANGE_OWN_PARAMETERS = ['since', 'until', 'kind'] as const;

/**
 * Answers what happened to a tenant's connections, grants, scopes and agents between two moments, newest first. Each
 * step of a connection is a line; for a pair of client and resource, one line a kind stands for all grants. Each page
 * works out all lines anew. They are the same each time, so a page continues by line number.
 */
export function createChangesQuestion({
  ask,
  reader,
  follow,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly follow: FollowPairs;
}) {
  return (tenant: string, query: unknown): Promise<ChangePage> => {
    const parameters = readParameters(query, [...CHANGE_OWN_PARAMETERS, ...CHANGE_PARAMETERS]);
    const tenantKey = reader.tenantKey(tenant);
    const kinds = readKinds(parameters.get('kind'));
    const page = readPageAsOf('changes', tenantKey, parameters, 'until');
    const askedSince = page.after ? sinceFromCursor(page.after) : readSince(parameters);
    const skip = Number(page.after?.[2] ?? 0);

    return ask(
      tenant,
      async (until) => {
        const since = await findSince(until, askedSince);
        const between: Between = {
          since,
          until,
          clients: await resolveFilter(until, tenantKey, parameters, 'client'),
          resources: await resolveFilter(until, tenantKey, parameters, 'resource'),
        };
        const { lines: all, cut } = await readLines(between, reader, await readGranted(between, follow));
        const lines = sortLines(kinds === undefined ? all : all.filter(({ kind }) => kinds.includes(kind)), KINDS);
        const { shown, next } = page.cut(until, lines.slice(skip), () => [
          ...momentToCursor(since),
          String(skip + page.limit),
        ]);
        return {
          as_of: asOfOf(until),
          since: asOfOf(since),
          items: await describeLines(until, shown),
          ...next,
          ...(cut ? { incomplete: true as const } : {}),
        };
      },
      page.asked,
      { timeoutMs: COUNTING_TIMEOUT_MS, other: (nowMs) => timeOfSince(askedSince, nowMs) },
    );
  };
}

function readKinds(text: string | undefined): readonly ChangeItem['kind'][] | undefined {
  const kinds = text?.split(',');
  if (kinds?.some((kind) => !(KINDS as readonly string[]).includes(kind)))
    throw invalid(`\`kind\` is one or more of ${KINDS.join(', ')}, separated by commas`);
  return kinds as readonly ChangeItem['kind'][] | undefined;
}
