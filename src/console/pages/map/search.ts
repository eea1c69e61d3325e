import { readTime } from '../../api/moment.js';

export const STATES = ['used', 'dormant', 'granted', 'denied'] as const;
export type State = (typeof STATES)[number];
export const ZOOMS = [1, 2, 3] as const;
export type Zoom = (typeof ZOOMS)[number];

/** Clients whose users are drawn one by one: a question each. */
const MAX_UNFOLDED = 8;

/** The part of the URL that says what the map shows, and which of its cells is open. */
export interface MapSearch {
  /** Default: the matrix. */
  readonly show?: 'table' | 'graph';
  /** Default: clients. */
  readonly rows?: 'agents';
  /** Rows are grouped by it. Default: the type of the agents. */
  readonly group?: 'team';
  /** Only cells whose row or column has this text in its name. */
  readonly q?: string;
  readonly state?: State[];
  /** A connection that was not used since is dormant: a duration or a time. */
  readonly since?: string;
  readonly zoom?: Zoom;
  /** The cell that is open. */
  readonly cell?: CellKey;
  /** The entity around which the graph is drawn. */
  readonly focus?: number;
  /** Edges from it to what is drawn. Default: one. */
  readonly steps?: 2 | 3;
  /** Whether all is drawn that there is room for. */
  readonly whole?: true;
  /** Whether the graph of all draws the users of each team as one node. */
  readonly teams?: true;
  /** Clients whose users the graph draws one by one. */
  readonly unfold?: number[];
}

/** The entity ids of a cell's row and its resource. */
export type CellKey = `${number}-${number}`;
export const keyOf = (row: number, resource: number): CellKey => `${row}-${resource}`;

const isId = (given: unknown): given is number => Number.isSafeInteger(given) && Number(given) > 0;

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readMapSearch(given: Record<string, unknown>): MapSearch {
  const { show, rows, group, q, state, since, zoom, cell, focus, steps, whole, teams, unfold } = given;
  const states = STATES.filter((one) => [state].flat().includes(one));
  const unfolded = [unfold].flat().filter(isId).slice(0, MAX_UNFOLDED);
  return {
    show: show === 'table' || show === 'graph' ? show : undefined,
    rows: rows === 'agents' ? rows : undefined,
    group: group === 'team' ? group : undefined,
    q: typeof q === 'string' || typeof q === 'number' ? String(q).trim() || undefined : undefined,
    state: states.length === 0 ? undefined : states,
    since: readTime(since),
    zoom: ZOOMS.find((one) => one === zoom),
    cell: typeof cell === 'string' && /^\d+-\d+$/.test(cell) ? (cell as CellKey) : undefined,
    focus: isId(focus) ? focus : undefined,
    steps: steps === 2 || steps === 3 ? steps : undefined,
    whole: whole === true ? whole : undefined,
    teams: teams === true ? teams : undefined,
    unfold: unfolded.length === 0 ? undefined : unfolded,
  };
}
