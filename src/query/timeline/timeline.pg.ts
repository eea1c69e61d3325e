import { type Ask, COUNTING_TIMEOUT_MS } from '../../projections/index.js';
import { BUCKET_SECONDS, readBy } from '../access/counts.pg.js';
import { lastOf } from '../access/filters.pg.js';
import { asOfOf } from '../ask/as-of.js';
import { readNames } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { invalid, readParameters, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { readWindow, windowAt } from '../ask/window.js';
import { TIMELINE_KINDS, type TimelineKind, type TimelinePage } from './answers.js';
import { describeLine, entitiesOf } from './describe.js';
import { positionAfter, sortLines, type Position } from './lines.js';
import { readStreams } from './streams.pg.js';
import { findSubject, readSubjectKind, SUBJECT_PARAMETERS } from './subject.pg.js';

export const TIMELINE_PARAMETERS = [...SUBJECT_PARAMETERS, 'by', 'from', 'to', 'as_of', 'limit', 'cursor'] as const;
/** The parameter that only this question has in this form; the controller documents it. */
export const TIMELINE_KIND = {
  type: 'string',
  pattern: `^(?:${TIMELINE_KINDS.join('|')})(?:,(?:${TIMELINE_KINDS.join('|')}))*$`,
} as const;

/** Answers everything that happened to one user, client, agent, resource or token, in one list, newest first. */
export function createTimelineQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<TimelinePage> => {
    const parameters = readParameters(query, [...TIMELINE_PARAMETERS, 'kind']);
    const tenantKey = reader.tenantKey(tenant);
    const kind = readSubjectKind(parameters);
    const kinds = readKinds(parameters);
    const unit = BUCKET_SECONDS[readBy(parameters.get('by'))];
    const asked = readWindow(parameters);
    const page = readPageAsOf('timeline', tenantKey, parameters);
    const after = page.after && positionFromCursor(page.after);

    return ask(
      tenant,
      async (snapshot) => {
        const window = windowAt(asked, snapshot.at);
        const subject = await findSubject(snapshot, reader, parameters, kind);
        const top = after?.top ?? lastOf(snapshot, window.to);
        const lastMs = window.to === undefined ? Number.MAX_SAFE_INTEGER : window.to * 1_000 - 1;
        const skipped = after?.shown ?? 0;
        const { lines: read, cuts } = await readStreams(snapshot, {
          subject,
          kinds,
          from: window.from ?? 0,
          lastMs,
          newestMs: after?.atMs ?? lastMs,
          top,
          unit,
          rows: page.limit + 1 + skipped,
        });
        const lines = sortLines(read);
        const { shown, next } = page.cut(snapshot, lines.slice(skipped), () =>
          positionToCursor(positionAfter(lines, skipped + page.limit - 1, { cuts, unit, top })),
        );
        const names = await readNames(snapshot, shown.flatMap(entitiesOf));
        return { as_of: asOfOf(snapshot), items: shown.map((line) => describeLine(line, names, reader)), ...next };
      },
      page.asked,
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );
  };
}

/** Reads `kind`. Throws `invalid-request`. */
export function readKinds(parameters: Parameters): ReadonlySet<TimelineKind> {
  const text = parameters.get('kind');
  if (text === undefined) return new Set(TIMELINE_KINDS);
  const kinds = text.split(',');
  if (!kinds.every((kind) => (TIMELINE_KINDS as readonly string[]).includes(kind)))
    throw invalid(`\`kind\` is one or more of ${TIMELINE_KINDS.join(', ')}, separated by commas`);
  return new Set(kinds as TimelineKind[]);
}

const positionToCursor = ({ atMs, shown, top }: Position): readonly string[] => [atMs, shown, top].map(String);

function positionFromCursor(position: readonly string[]): Position {
  const [atMs, shown, top] = position.map(Number) as [number, number, number];
  return { atMs, shown, top };
}
