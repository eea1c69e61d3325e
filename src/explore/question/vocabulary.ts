import { ENTITY_KINDS, OPERATIONS, OUTCOMES, type EntityKind } from '../../projections/index.js';

/* The dimensions and measures of questions. Each is declared here and nowhere else. */

interface Described {
  readonly description: string;
  /** Only callers that may see payloads may ask for it. */
  readonly ofPayloads?: true;
}

/** Names that come from outside PostgreSQL's `entity`: values by id, which the engine gets with the question. */
export type LookupName = 'agent_type' | 'address_prefix' | 'team' | 'owner';

/** Columns of a use, as of the question's index. */
export type UseColumn =
  | 'ix'
  | 'first_at'
  | 'last_at'
  | 'usr'
  | 'client'
  | 'agent'
  | 'res'
  | 'scopes'
  | 'op'
  | 'outcome'
  | 'status'
  | 'route'
  | 'addr'
  | 'source'
  | 'tok'
  | 'n'
  | 'records'
  | 'bytes';

export type Dimension = Described &
  (
    | {
        /** The id of an entity. `shows`: how answers name it. */
        readonly type: 'entity';
        readonly column: UseColumn;
        readonly kind: EntityKind;
        readonly shows: 'user' | 'client' | 'agent' | 'resource' | 'text';
        /** Other names of the same person or client are found too. */
        readonly aliases?: true;
        /** A use has several. */
        readonly many?: true;
      }
    | { readonly type: 'code'; readonly sql: string; readonly columns: readonly UseColumn[]; readonly codes: Codes }
    | {
        readonly type: 'number';
        readonly sql: string;
        readonly columns: readonly UseColumn[];
        readonly least: number;
        readonly most: number;
      }
    | { readonly type: 'time'; readonly seconds: number }
    | { readonly type: 'source' }
    | { readonly type: 'token' }
    | {
        readonly type: 'lookup';
        readonly lookup: LookupName;
        /** Columns whose ids are looked up; the first that has a value counts. */
        readonly by: readonly UseColumn[];
      }
  );

type Codes = Readonly<Record<string, number>>;

const WEEKDAYS: Codes = { monday: 0, tuesday: 1, wednesday: 2, thursday: 3, friday: 4, saturday: 5, sunday: 6 };
/** 1970-01-01 was a Thursday. */
const WEEKDAY_OF_EPOCH = 3;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const SHARED_TYPE = { type: 'entity', shows: 'text' } as const;

export const DIMENSIONS = {
  user: {
    type: 'entity',
    column: 'usr',
    kind: 'user',
    shows: 'user',
    aliases: true,
    description: 'user; none until an event says whose token it is',
  },
  client: {
    type: 'entity',
    column: 'client',
    kind: 'client',
    shows: 'client',
    aliases: true,
    description: 'client application',
  },
  agent: { type: 'entity', column: 'agent', kind: 'agent', shows: 'agent', description: 'agent' },
  agent_type: {
    type: 'lookup',
    lookup: 'agent_type',
    by: ['agent'],
    description: 'type that the newest token of the agent states',
  },
  resource: { type: 'entity', column: 'res', kind: 'resource', shows: 'resource', description: 'resource application' },
  source: { type: 'source', description: 'source that reported the use' },
  operation: { type: 'code', sql: 's.op', columns: ['op'], codes: OPERATIONS, description: 'operation' },
  outcome: { type: 'code', sql: 's.outcome', columns: ['outcome'], codes: OUTCOMES, description: 'outcome' },
  status: {
    type: 'number',
    sql: 's.status',
    columns: ['status'],
    least: 0,
    most: 999,
    description: 'status code of the response',
  },
  scope: {
    ...SHARED_TYPE,
    column: 'scopes',
    kind: 'scope',
    many: true,
    description: 'scope that the use needed; a use with several is in the group of each',
  },
  route: { ...SHARED_TYPE, column: 'route', kind: 'route', description: 'route template or tool' },
  address: {
    ...SHARED_TYPE,
    column: 'addr',
    kind: 'address',
    ofPayloads: true,
    description: 'address of the client',
  },
  address_prefix: {
    type: 'lookup',
    lookup: 'address_prefix',
    by: ['addr'],
    ofPayloads: true,
    description: 'network of the address: the first 24 bits of an IPv4 address, the first 48 bits of an IPv6 address',
  },
  hour: { type: 'time', seconds: HOUR_S, description: 'hour in which the use began, UTC' },
  day: { type: 'time', seconds: DAY_S, description: 'day on which the use began, UTC' },
  weekday: {
    type: 'code',
    sql: `(((s.first_at // ${DAY_S}) + ${WEEKDAY_OF_EPOCH}) % 7)`,
    columns: ['first_at'],
    codes: WEEKDAYS,
    description: 'day of the week, UTC',
  },
  hour_of_day: {
    type: 'number',
    sql: `((s.first_at % ${DAY_S}) // ${HOUR_S})`,
    columns: ['first_at'],
    least: 0,
    most: 23,
    description: 'hour of the day, 0 to 23, UTC',
  },
  team: {
    type: 'lookup',
    lookup: 'team',
    by: ['usr'],
    description: 'organisation unit of the user: `team` in the directory now',
  },
  owner: {
    type: 'lookup',
    lookup: 'owner',
    by: ['agent', 'client'],
    description: 'owner of the agent, else of the client, in the directory now',
  },
  token: { type: 'token', description: 'token' },
} as const satisfies Readonly<Record<string, Dimension>>;

export type DimensionName = keyof typeof DIMENSIONS;
export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as readonly DimensionName[];
export const dimensionOf = (name: DimensionName): Dimension => DIMENSIONS[name];

export type Measure = Described & {
  readonly aggregate: 'sum' | 'distinct' | 'min' | 'max';
  readonly column: UseColumn;
  /** Counts only uses that meet the condition. */
  readonly where?: string;
  /** The value is a time. */
  readonly time?: true;
};

const ALLOWED = `s.outcome = ${OUTCOMES.allowed}`;

export const MEASURES = {
  calls: { aggregate: 'sum', column: 'n', description: 'calls; a summary counts with its number of calls' },
  allowed: { aggregate: 'sum', column: 'n', where: ALLOWED, description: 'allowed calls' },
  denied: { aggregate: 'sum', column: 'n', where: `s.outcome = ${OUTCOMES.denied}`, description: 'denied calls' },
  records: { aggregate: 'sum', column: 'records', where: ALLOWED, description: 'records, summed over allowed uses' },
  bytes: { aggregate: 'sum', column: 'bytes', where: ALLOWED, description: 'bytes, summed over allowed uses' },
  users: { aggregate: 'distinct', column: 'usr', description: 'number of different users' },
  clients: { aggregate: 'distinct', column: 'client', description: 'number of different clients' },
  agents: { aggregate: 'distinct', column: 'agent', description: 'number of different agents' },
  addresses: {
    aggregate: 'distinct',
    column: 'addr',
    ofPayloads: true,
    description: 'number of different client addresses',
  },
  tokens: { aggregate: 'distinct', column: 'tok', description: 'number of different tokens' },
  first_use: { aggregate: 'min', column: 'first_at', time: true, description: 'time of the first use' },
  last_use: { aggregate: 'max', column: 'last_at', time: true, description: 'time of the last use' },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as readonly MeasureName[];
export const measureOf = (name: MeasureName): Measure => MEASURES[name];

const NAMED = ['equals', 'in', 'not', 'prefix', 'missing'] as const;

/** Lists what a filter on the dimension may say. */
export const filterMembersOf = (dimension: Dimension): readonly FilterMember[] => {
  switch (dimension.type) {
    case 'entity':
      return [...NAMED, ...(dimension.aliases ? (['entity'] as const) : [])];
    case 'lookup':
      return NAMED;
    case 'source':
      return ['equals', 'in', 'not', 'prefix'];
    case 'code':
    case 'token':
      return ['equals', 'in', 'not', 'missing'];
    case 'number':
      return ['equals', 'in', 'not', 'min', 'max', 'missing'];
    case 'time':
      return ['equals', 'in', 'not', 'from', 'to'];
  }
};
export type FilterMember = 'equals' | 'entity' | 'in' | 'not' | 'prefix' | 'from' | 'to' | 'min' | 'max' | 'missing';

export const entityKindOf = (kind: EntityKind): number => ENTITY_KINDS[kind];
