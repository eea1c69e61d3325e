import { loadSql } from '../../platform/postgres/index.js';
import { SAID_EVENTS, turnedBelow, type SaidEvent, type Snapshot } from '../../projections/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { KIND_OF_SAID, type TimelineKind } from './answers.js';
import type { ConflictRow, GrantRow, IssuedRow, Line, NameRow, RefusalRow, RuleRow, SaidRow } from './lines.js';
import { readRuns } from './runs.pg.js';
import type { Subject, SubjectKind } from './subject.pg.js';

/** Conditions that find an entity in each table, by an index. */
const WHOSE: Readonly<Record<SubjectKind, { grant: string; token: string; id_jag: string }>> = {
  user: {
    grant: 'g.usr = ANY ($3::int[])',
    token: 't.usr = ANY ($3::int[])',
    id_jag: 'j.usr = ANY ($3)',
  },
  client: {
    grant: 'g.client = ANY ($3::int[])',
    token: 't.client = ANY ($3::int[])',
    id_jag: '(j.client = ANY ($3) OR j.idp_client = ANY ($3))',
  },
  agent: {
    grant: 'g.agent = ANY ($3::int[])',
    token: 't.agent = ANY ($3::int[]) AND coalesce(t.agent_ix, t.ix) < $2',
    id_jag: 'j.agent = ANY ($3)',
  },
  resource: { grant: 'g.res = ANY ($3::int[])', token: 't.res && $3::int[]', id_jag: 'false' },
  token: { grant: 'false', token: 't.key = ANY ($3::bytea[])', id_jag: 'j.key = ANY ($3)' },
};
const forEach = <T>(make: (kind: SubjectKind) => T) =>
  Object.fromEntries((Object.keys(WHOSE) as SubjectKind[]).map((kind) => [kind, make(kind)])) as Record<SubjectKind, T>;

const RULES = loadSql(import.meta.url, 'rules.sql').replace('{turned}', () => turnedBelow('$2'));
const SAID = loadSql(import.meta.url, 'said.sql');
const GRANTS_SQL = loadSql(import.meta.url, 'grants.sql');
const GRANTS = forEach((kind) => GRANTS_SQL.replace('{whose}', WHOSE[kind].grant));
const CONFLICTS_SQL = loadSql(import.meta.url, 'conflicts.sql');
const CONFLICTS = forEach((kind) =>
  CONFLICTS_SQL.replace('{token}', WHOSE[kind].token).replace('{id_jag}', WHOSE[kind].id_jag),
);
const REFUSALS_SQL = loadSql(import.meta.url, 'refusals.sql');
const REFUSALS = forEach((kind) => REFUSALS_SQL.replace('{token}', WHOSE[kind].token));
const ISSUED = loadSql(import.meta.url, 'issued.sql');
const NAMES = loadSql(import.meta.url, 'names.sql');

/** Says whether events of a name belong to the timeline. A token's has those on accounts; connections and denials are about other tokens too. */
const hasSaid = (subject: Subject, name: SaidEvent): boolean =>
  subject.kind !== 'token' || KIND_OF_SAID[name] === 'account';

/** Says which lines of each kind one page needs. */
export interface Wanted {
  readonly subject: Subject;
  readonly kinds: ReadonlySet<TimelineKind>;
  /** The window of lines, epoch seconds: from ≤ time. */
  readonly from: number;
  /** The window's last millisecond, and the newest line of the page, at or before it: epoch milliseconds. */
  readonly lastMs: number;
  readonly newestMs: number;
  /** Uses are folded below this, epoch seconds. */
  readonly top: number;
  /** Unit of folds, seconds. */
  readonly unit: number;
  /** Lines of each kind. */
  readonly rows: number;
}

export interface Read {
  readonly lines: readonly Line[];
  /** Seconds at which runs of uses begin anew, ascending. */
  readonly cuts: readonly number[];
}

/**
 * Reads the newest lines of each kind. Moments of rules, and what sources said of accounts and connections, end runs of uses whether or
 * not these kinds are shown, so that a run is the same under every filter.
 */
export async function readStreams(snapshot: Snapshot, wanted: Wanted): Promise<Read> {
  const { subject, kinds, rows, newestMs } = wanted;
  const index = String(snapshot.index);
  const fromMs = wanted.from * 1_000;
  const isToken = subject.kind === 'token';
  const members = isToken ? subject.lineage : subject.ids;
  const read = <R>(kind: TimelineKind, sql: string, values: readonly unknown[]): Promise<(R & Row)[]> | [] =>
    kinds.has(kind) ? snapshot.rows<R & Row>(sql, values) : [];
  const said = SAID_EVENTS.filter((name) => hasSaid(subject, name));
  const [[rules], [told], grants, conflicts, refusals, issued, names] = await Promise.all([
    snapshot.rows<Cutting<RuleRow>>(RULES, [
      index,
      snapshot.at,
      subject.keys,
      subject.leads,
      fromMs,
      newestMs,
      rows,
      subject.within,
    ]),
    snapshot.rows<Cutting<SaidRow>>(SAID, [
      index,
      subject.ids,
      said.filter((name) => kinds.has(KIND_OF_SAID[name])),
      said.filter((name) => KIND_OF_SAID[name] !== 'denial'),
      fromMs,
      newestMs,
      rows,
      isToken ? subject.sessions : null,
    ]),
    isToken
      ? []
      : read<GrantRow>('grant', GRANTS[subject.kind], [
          index,
          subject.ids,
          fromMs,
          wanted.lastMs,
          newestMs,
          wanted.unit * 1_000,
          rows,
        ]),
    read<ConflictRow>('conflict', CONFLICTS[subject.kind], [index, members, fromMs, newestMs, rows]),
    read<RefusalRow>('refusal', REFUSALS[subject.kind], [
      index,
      members,
      fromMs,
      // Introspection goes on while pages are read: what it refused after the moment of the answer does not belong to it.
      Math.min(newestMs, snapshot.at * 1_000 + 999),
      rows,
    ]),
    isToken ? read<IssuedRow>('issued', ISSUED, [index, members, fromMs, newestMs, rows]) : [],
    isToken ? [] : read<NameRow>('name', NAMES, [index, subject.ids, fromMs, newestMs, rows]),
  ]);
  const cuts = [...new Set([...(rules!.cuts ?? []), ...(told!.cuts ?? [])])].sort((one, other) => one - other);
  const runs = kinds.has('use') ? await readRuns(snapshot, { ...wanted, cuts }) : [];
  const ruleRows = kinds.has('rule') ? (rules!.lines ?? []) : [];
  return {
    lines: [
      ...ruleRows.map((row): Line => ({ kind: 'rule', atMs: row.at_ms, row })),
      ...(told!.lines ?? []).map((row): Line => ({ kind: KIND_OF_SAID[row.name], atMs: row.at_ms, row })),
      ...conflicts.map((row): Line => ({ kind: 'conflict', atMs: Number(row.at_ms), row })),
      ...refusals.map((row): Line => ({ kind: 'refusal', atMs: Number(row.at_ms), row })),
      ...grants.map((row): Line => ({ kind: 'grant', atMs: Number(row.at_ms), row })),
      ...issued.map((row): Line => ({ kind: 'issued', atMs: Number(row.at_ms), row })),
      ...names.map((row): Line => ({ kind: 'name', of: subject.kind as FilterKind, atMs: Number(row.at_ms), row })),
      ...runs.map((row): Line => ({ kind: 'use', atMs: row.at * 1_000, row })),
    ],
    cuts,
  };
}

type Row = Readonly<Record<string, unknown>>;
/** A list is null without rows. */
interface Cutting<R> extends Row {
  readonly lines: readonly R[] | null;
  readonly cuts: readonly number[] | null;
}
