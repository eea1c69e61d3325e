import type { Answer } from '../../api/client.js';
import { nameOf, type Entity } from '../../display/entity.js';
import { keyOf, type CellKey, type MapSearch, type State } from './search.js';

export type MatrixAnswer = Answer<'MatrixAnswer'>;
export type Part = Answer<'MatrixCell'>;

/** A client or an agent. */
export interface Row {
  readonly id: number;
  readonly entity: Entity;
  /** Number of its cells. */
  readonly cells: number;
}

/** A line of the matrix, from top to bottom: the name of a group, then its rows. */
export type Line =
  | { readonly kind: 'group'; readonly name: string | null; readonly rows: number }
  | { readonly kind: 'row'; readonly row: Row };

export interface Column {
  readonly id: number;
  readonly entity: Entity & { readonly kind: 'resource' };
}

/** A row at a resource: what it may do there, and what it did. */
export interface Cell {
  readonly key: CellKey;
  readonly row: Entity;
  readonly resource: Column['entity'];
  readonly state: State;
  readonly grants: number;
  readonly allowed: number;
  readonly denied: number;
  readonly lastUsed: string | null;
  readonly granted: readonly string[];
  readonly used: readonly string[];
  readonly unused: readonly string[];
  /** The connections that it is made of: that of a client, or all through which an agent acts. */
  readonly parts: readonly Part[];
}

export interface Matrix {
  readonly lines: readonly Line[];
  readonly columns: readonly Column[];
  /** In the order of lines and columns. */
  readonly cells: readonly Cell[];
  readonly cellAt: (row: number, resource: number) => Cell | undefined;
  /** Cells of each state, before the filter by state. */
  readonly counts: Readonly<Record<State, number>>;
  /** Connections that belong to no row: those without an agent, if agents are the rows. */
  readonly without: number;
}

/** A cell of several connections has the first of these states that one of them has. */
const RANK: readonly State[] = ['used', 'dormant', 'denied', 'granted'];
const collator = new Intl.Collator('en', { numeric: true });
const byName = (one: { readonly entity: Entity }, other: { readonly entity: Entity }): number =>
  collator.compare(nameOf(one.entity), nameOf(other.entity)) || one.entity.is.entity - other.entity.is.entity;

/**
 * Builds what is drawn at a moment. `now` gives rows and columns their places, which therefore stay the same while time goes by; `then` is the answer
 * for the moment and gives the cells. `earliest` is the earliest answer that was shown: clients had other
 * names then, until an event tied them.
 */
export function buildMatrix(
  now: MatrixAnswer,
  then: MatrixAnswer,
  { rows, group, q, state }: MapSearch,
  earliest = then,
): Matrix {
  const answers = [...new Set([now, earliest, then])];
  const columns = onceById(answers.flatMap(columnsOf)).sort(byName);
  const named =
    rows === 'agents' ? agentsOf(answers, group) : clientsOf(answers, group, typesOfClients([now, earliest]));
  const byRow = new Map(named.map((row) => [row.id, row]));
  const byColumn = new Map(columns.map((column) => [column.id, column]));
  const wanted = wantedBy(q);
  const cellsOf = (answer: MatrixAnswer): Cell[] =>
    foldCells(
      answer,
      rows,
      (id) => byRow.get(id)?.entity,
      (id) => byColumn.get(id)?.entity,
    ).filter(wanted);
  const found = cellsOf(then);
  const isShown = (cell: Cell): boolean => state === undefined || state.includes(cell.state);
  const placed = answers.flatMap((answer) => (answer === then ? found : cellsOf(answer))).filter(isShown);
  const shown = new Map(found.filter(isShown).map((cell) => [cell.key, cell]));
  const keptRows = new Set(placed.map((cell) => cell.row.is.entity));
  const keptColumns = new Set(placed.map((cell) => cell.resource.is.entity));
  const keptColumn = columns.filter(({ id }) => keptColumns.has(id));
  const lines = linesOf(
    named.filter(({ id }) => keptRows.has(id)),
    countBy([...shown.values()], (cell) => cell.row.is.entity),
  );
  const cellAt = (row: number, resource: number): Cell | undefined => shown.get(keyOf(row, resource));
  return {
    lines,
    columns: keptColumn,
    cells: lines.flatMap((line) =>
      line.kind === 'group' ? [] : keptColumn.flatMap((column) => cellAt(line.row.id, column.id) ?? []),
    ),
    cellAt,
    counts: {
      used: 0,
      dormant: 0,
      granted: 0,
      denied: 0,
      ...Object.fromEntries(countBy(found, (cell) => cell.state)),
    },
    without: rows === 'agents' ? then.cells.filter(({ agents }) => agents.length === 0).length : 0,
  };
}

type Named = { readonly id: number; readonly entity: Entity; readonly group: string | null };

const columnsOf = ({ resources }: MatrixAnswer): Column[] =>
  resources.map(({ resource }) => ({ id: resource.entity, entity: { kind: 'resource', is: resource } }));

function agentsOf(answers: readonly MatrixAnswer[], group: MapSearch['group']): Named[] {
  return onceById(
    answers.flatMap(({ agents }) =>
      agents.map(
        ({ agent, type, team }): Named => ({
          id: agent.entity,
          entity: { kind: 'agent', is: agent },
          group: group === 'team' ? team : type,
        }),
      ),
    ),
  );
}

function clientsOf(
  answers: readonly MatrixAnswer[],
  group: MapSearch['group'],
  types: ReadonlyMap<number, string>,
): Named[] {
  return onceById(
    answers.flatMap(({ clients }) =>
      clients.map(
        ({ client, team }): Named => ({
          id: client.entity,
          entity: { kind: 'client', is: client },
          group: group === 'team' ? team : (types.get(client.entity) ?? null),
        }),
      ),
    ),
  );
}

/** The types of the agents that act as each client. */
function typesOfClients(answers: readonly MatrixAnswer[]): ReadonlyMap<number, string> {
  const typeOf = new Map(
    answers.flatMap(({ agents }) => agents.map(({ agent, type }) => [agent.entity, type] as const)),
  );
  const types = new Map<number, Set<string>>();
  for (const { client, agents } of answers.flatMap(({ cells }) => cells)) {
    for (const agent of agents) {
      const all = types.get(client) ?? new Set();
      types.set(client, all.add(typeOf.get(agent) ?? 'an agent of no type'));
    }
  }
  return new Map([...types].map(([client, all]) => [client, [...all].sort(collator.compare).join(', ')]));
}

/** Keeps the first of each id: what is known now names it best. */
const onceById = <T extends { readonly id: number }>(all: readonly T[]): T[] => [
  ...new Map(all.toReversed().map((one) => [one.id, one])).values(),
];

function wantedBy(q: string | undefined): (cell: Cell) => boolean {
  if (q === undefined) return () => true;
  const text = q.toLowerCase();
  const has = (entity: Entity): boolean => nameOf(entity).toLowerCase().includes(text);
  return ({ row, resource }) => has(row) || has(resource);
}

function foldCells(
  { cells }: MatrixAnswer,
  rows: MapSearch['rows'],
  rowOf: (id: number) => Entity | undefined,
  columnOf: (id: number) => Column['entity'] | undefined,
): Cell[] {
  const parts = new Map<CellKey, Part[]>();
  for (const cell of cells) {
    for (const row of rows === 'agents' ? cell.agents : [cell.client]) {
      const key = keyOf(row, cell.resource);
      const there = parts.get(key);
      if (there === undefined) parts.set(key, [cell]);
      else there.push(cell);
    }
  }
  return [...parts].flatMap(([key, all]) => {
    const [row, resource] = key.split('-').map(Number);
    const [entity, column] = [rowOf(row!), columnOf(resource!)];
    return entity === undefined || column === undefined ? [] : [cellOf(key, entity, column, all)];
  });
}

function cellOf(key: CellKey, row: Entity, resource: Column['entity'], parts: readonly Part[]): Cell {
  const sum = (of: (part: Part) => number): number => parts.reduce((all, part) => all + of(part), 0);
  const union = (of: (part: Part) => readonly string[]): string[] =>
    parts.length === 1 ? [...of(parts[0]!)] : [...new Set(parts.flatMap(of))].sort();
  const used = union((part) => part.used_scopes);
  return {
    key,
    row,
    resource,
    state: RANK.find((state) => parts.some((part) => part.state === state))!,
    grants: sum((part) => part.grants),
    allowed: sum((part) => part.allowed),
    denied: sum((part) => part.denied),
    lastUsed: parts.reduce<string | null>(
      (last, part) => (part.last_used !== null && (last === null || last < part.last_used) ? part.last_used : last),
      null,
    ),
    granted: union((part) => part.granted_scopes),
    used,
    unused: union((part) => part.unused_scopes).filter((scope) => !used.includes(scope)),
    parts,
  };
}

function countBy<T, Key>(all: readonly T[], of: (one: T) => Key): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const one of all) counts.set(of(one), (counts.get(of(one)) ?? 0) + 1);
  return counts;
}

/** Rows by group and name; those without a group stand last. */
function linesOf(rows: readonly Named[], cells: ReadonlyMap<number, number>): Line[] {
  const groups = new Map<string | null, Named[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  const names = [...groups.keys()].sort((one, other) =>
    one === null ? 1 : other === null ? -1 : collator.compare(one, other),
  );
  return names.flatMap((name): Line[] => {
    const all = groups.get(name)!.toSorted(byName);
    return [
      { kind: 'group', name, rows: all.length },
      ...all.map(({ id, entity }): Line => ({ kind: 'row', row: { id, entity, cells: cells.get(id) ?? 0 } })),
    ];
  });
}
