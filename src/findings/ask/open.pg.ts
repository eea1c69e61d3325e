import { loadSql } from '../../platform/postgres/index.js';
import { isCut, SHOWN_FINDINGS, type FindingSubject, type ReadOpenFindings, type Reader } from '../../query/index.js';
import { itemOf, namesFor, type FindingRow } from './findings.pg.js';
import { withoutNetworks } from './says.js';
import { withStates } from './with-states.js';

const OPEN = loadSql(import.meta.url, 'open.sql');
/** Findings of a subject whose states are read. */
const MOST_READ = 1_000;
const COLUMNS: Readonly<Record<FindingSubject['kind'], string>> = {
  user: 'usr',
  client: 'client',
  agent: 'agent',
  resource: 'res',
  token: 'tok',
};
type Statements = Readonly<Record<FindingSubject['kind'], { readonly name: string; readonly text: string }>>;
/** Makes a statement a column, so that each finds its rows by the index of the column. */
const statements = (name: string, moment: (column: string) => Parameters<typeof withStates>[1]): Statements =>
  Object.fromEntries(
    Object.entries(COLUMNS).map(([kind, column]) => [
      kind,
      { name: `${name}-${kind}`, text: withStates(OPEN, moment(column)).replace('{column}', column) },
    ]),
  ) as Statements;
const NOW = statements('findings-about', () => ({ at: '$3' }));
const PAST = statements('past-findings-about', (column) => ({
  at: '$3',
  index: '$5',
  only: `g.${column} = ANY ($2)`,
}));

/**
 * Reads the open findings about the subject of an answer, at its moment: the one place that does. The answers are also for callers that may not see
 * networks of clients, so no sentence names one.
 */
export const createOpenFindings =
  ({ reader }: { readonly reader: Reader }): ReadOpenFindings =>
  async (snapshot, subject) => {
    type Row = FindingRow & { readonly open: string; readonly candidates: string };
    const rows = await snapshot.rows<Row>((snapshot.present ? NOW : PAST)[subject.kind], [
      subject.kind === 'token' ? [subject.key] : subject.ids,
      snapshot.at,
      SHOWN_FINDINGS,
      ...(snapshot.present ? [] : [String(snapshot.index)]),
    ]);
    const names = await namesFor(snapshot, rows);
    const items = rows.map((row) => {
      const { id, kind, severity, says, last_seen } = withoutNetworks(itemOf(row, names, reader));
      return { id, kind, severity, says, last_seen };
    });
    return {
      count: Number(rows[0]?.open ?? 0),
      severity: items[0]?.severity ?? null,
      items,
      ...isCut(Number(rows[0]?.candidates ?? 0) > MOST_READ),
    };
  };
