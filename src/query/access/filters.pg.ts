import { RescindError } from '../../contracts/index.js';
import {
  AGENT_TYPES,
  ENTITY_KINDS,
  OPERATIONS,
  OUTCOMES,
  type Snapshot,
  type UsesRead,
} from '../../projections/index.js';
import { ruleKey, ruleKeyToBytes } from '../../rules/index.js';
import { resolveFilter } from '../ask/names.pg.js';
import { FILTER_PARAMETERS, readChoice, readTokenId, type Parameters } from '../ask/parameters.js';
import { readWindow, type AskedWindow } from '../ask/window.js';
import type { Driver } from './statements.js';

export const ACCESS_FILTERS = [
  ...FILTER_PARAMETERS.user,
  ...FILTER_PARAMETERS.client,
  ...FILTER_PARAMETERS.agent,
  'agent_type',
  ...FILTER_PARAMETERS.resource,
  'token',
  'operation',
  'outcome',
  'route',
  'scope',
  'client_address',
  'from',
  'to',
] as const;

/** Without `from`, the window begins this many seconds before the moment of the question. */
export const DEFAULT_WINDOW_S = 30 * 86_400;
/**
 * Seconds by which an event may lie ahead of its arrival: five minutes by the clock of the intake, and the difference
 * between two clocks.
 */
const MAX_AHEAD_S = 600;
export const MAX_INT64 = String(2n ** 63n - 1n);

export interface AccessFilters {
  readonly token: Buffer | undefined;
  readonly operation: number | undefined;
  readonly outcome: number | undefined;
  readonly window: AskedWindow;
}

/** Checks the filters before a snapshot is taken. */
export function readFilters(parameters: Parameters): AccessFilters {
  return {
    token: parameters.has('token') ? readTokenId(parameters.get('token')!) : undefined,
    operation: readChoice(parameters, 'operation', OPERATIONS),
    outcome: readChoice(parameters, 'outcome', OUTCOMES),
    window: readWindow(parameters),
  };
}

/** Returns the exclusive upper bound of the time of access: no use in the ledger lies beyond it. */
export const lastOf = (snapshot: Snapshot, to: number | undefined): number =>
  Math.min(to ?? Infinity, snapshot.at + MAX_AHEAD_S + 1);

export interface ResolvedFilters {
  readonly driver: Driver;
  readonly driving: readonly number[];
  readonly ids: { readonly [K in 'user' | 'client' | 'agent' | 'resource']: readonly number[] | undefined };
  /** `$2` to `$13` of matches.sql. */
  readonly values: readonly unknown[];
  /** The uses that the filters select, without a window. */
  readonly read: UsesRead;
}

const NO_IDS = [0];
/** The first operation code that has an index of its own for a resource. */
const FIRST_RARE = OPERATIONS.delete;

/** Resolves the filters to ids. Rejects with `not-found` for a name that was never seen. */
export async function resolveFilters(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  parameters: Parameters,
  filters: AccessFilters,
): Promise<ResolvedFilters> {
  const ids = {
    user: await resolveFilter(snapshot, tenantKey, parameters, 'user'),
    client: await resolveFilter(snapshot, tenantKey, parameters, 'client'),
    agent: await resolveFilter(snapshot, tenantKey, parameters, 'agent'),
    resource: await resolveFilter(snapshot, tenantKey, parameters, 'resource'),
  };
  const { token, operation, outcome } = filters;
  const kind = token ? undefined : (['user', 'agent', 'client', 'resource'] as const).find((one) => ids[one]);
  const isRare = kind === 'resource' && operation !== undefined && operation >= FIRST_RARE;
  const ofType = await findAgentsOfType(snapshot, parameters.get('agent_type'));
  const [route, scope, addr] = [
    await findWord(snapshot, tenantKey, parameters, 'route'),
    await findWord(snapshot, tenantKey, parameters, 'scope'),
    await findWord(snapshot, tenantKey, parameters, 'client_address'),
  ];
  const { index } = snapshot;
  return {
    read: {
      index,
      usr: ids.user,
      client: ids.client,
      agent: ofType === undefined ? ids.agent : ofType.filter((id) => ids.agent?.includes(id) ?? true),
      res: ids.resource,
      ...(token ? { tok: [token] } : {}),
      op: operation,
      outcome,
      route,
      scope,
      addr,
    },
    driver: token ? 'token' : isRare ? 'rare' : (kind ?? 'time'),
    driving: kind === undefined ? NO_IDS : ids[kind]!,
    ids,
    values: [
      String(index),
      ids.user,
      ids.client,
      ids.agent,
      ids.resource,
      token,
      operation,
      outcome,
      ofType,
      route,
      scope,
      addr,
    ],
  };
}

const FIND_AGENTS = `SELECT id FROM (${AGENT_TYPES}) t WHERE value = $3`;

/** Finds the agents of a type, as `explore` does: the type that the newest token of the agent states. */
async function findAgentsOfType(snapshot: Snapshot, type: string | undefined): Promise<readonly number[] | undefined> {
  if (type === undefined) return undefined;
  return (await snapshot.rows<{ id: number }>(FIND_AGENTS, [String(snapshot.index), type])).map(({ id }) => id);
}

const KINDS = { route: 'route', scope: 'scope', client_address: 'address' } as const;
const FIND_WORD = {
  name: 'find-word',
  text: 'SELECT id FROM entity WHERE tenant = $1 AND kind = $2 AND key = $3 AND from_ix < $4',
};

async function findWord(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  parameters: Parameters,
  name: keyof typeof KINDS,
): Promise<number | undefined> {
  const word = parameters.get(name);
  if (word === undefined) return undefined;
  const kind = KINDS[name];
  const [row] = await snapshot.rows<{ id: number }>(FIND_WORD, [
    ENTITY_KINDS[kind],
    ruleKeyToBytes(ruleKey(tenantKey, kind, [word])),
    String(snapshot.index),
  ]);
  if (row === undefined) throw new RescindError('not-found', { detail: `no \`${name}\` of this name has been seen` });
  return row.id;
}
