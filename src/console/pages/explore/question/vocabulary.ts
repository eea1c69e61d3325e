import type { Answer } from '../../../api/client.js';
import { valuesOf } from '../../../display/findings/finding-words.js';

export type Question = Answer<'ExploreQuestion'>;
export type Measure = Question['measures'][number];
export type Dimension = Question['by'][number];
export type Filter = NonNullable<Question['filter']>;
export type Having = NonNullable<Question['having']>;
export type Order = NonNullable<Question['order']>[number];
export type Member = 'equals' | 'entity' | 'in' | 'not' | 'prefix' | 'from' | 'to' | 'min' | 'max' | 'missing';
/** The value of a member of a filter: one, several, or whether there is one. */
export type Said = string | number | boolean | readonly (string | number)[];

interface DimensionWords {
  readonly label: string;
  /** Members that a filter on the dimension may have. */
  readonly members: readonly Member[];
  /** Every value, if there are few. */
  readonly values?: readonly string[];
  readonly isNumber?: true;
  readonly isTime?: true;
  /** Only investigators may ask for it. */
  readonly ofPayloads?: true;
}

const NAME: readonly Member[] = ['equals', 'in', 'not', 'prefix', 'missing'];
const WITH_OTHER_NAMES: readonly Member[] = [...NAME, 'entity'];
const CODE: readonly Member[] = ['equals', 'in', 'not', 'missing'];
const NUMBER: readonly Member[] = ['equals', 'in', 'not', 'min', 'max', 'missing'];
const TIME: readonly Member[] = ['equals', 'in', 'not', 'from', 'to'];

type Code<Name extends 'operation' | 'outcome' | 'weekday'> = NonNullable<NonNullable<Filter[Name]>['equals']>;
const OPERATIONS = valuesOf<Code<'operation'>>({ read: true, write: true, delete: true, export: true, admin: true });
const OUTCOMES = valuesOf<Code<'outcome'>>({ allowed: true, denied: true });
export const WEEKDAYS = valuesOf<Code<'weekday'>>({
  monday: true,
  tuesday: true,
  wednesday: true,
  thursday: true,
  friday: true,
  saturday: true,
  sunday: true,
});

/** All that a question can group and filter by. The compiler complains of one that the API has and this list lacks. */
export const DIMENSIONS: Readonly<Record<Dimension, DimensionWords>> = {
  user: { label: 'user', members: WITH_OTHER_NAMES },
  client: { label: 'client', members: WITH_OTHER_NAMES },
  agent: { label: 'agent', members: NAME },
  agent_type: { label: 'agent type', members: NAME },
  resource: { label: 'resource', members: NAME },
  source: { label: 'source', members: ['equals', 'in', 'not', 'prefix'] },
  operation: { label: 'operation', members: CODE, values: OPERATIONS },
  outcome: { label: 'outcome', members: CODE, values: OUTCOMES },
  status: { label: 'status', members: NUMBER, isNumber: true },
  scope: { label: 'scope', members: NAME },
  route: { label: 'route', members: NAME },
  address: { label: 'address', members: NAME, ofPayloads: true },
  address_prefix: { label: 'network', members: NAME, ofPayloads: true },
  hour: { label: 'hour', members: TIME, isTime: true },
  day: { label: 'day', members: TIME, isTime: true },
  weekday: { label: 'weekday', members: CODE, values: WEEKDAYS },
  hour_of_day: { label: 'hour of the day', members: NUMBER, isNumber: true },
  team: { label: 'team', members: NAME },
  owner: { label: 'owner', members: NAME },
  token: { label: 'token', members: CODE },
};

interface MeasureWords {
  readonly label: string;
  /** The values of groups can be added up. */
  readonly adds?: true;
  readonly isTime?: true;
  readonly ofPayloads?: true;
}

export const MEASURES: Readonly<Record<Measure, MeasureWords>> = {
  calls: { label: 'calls', adds: true },
  allowed: { label: 'allowed', adds: true },
  denied: { label: 'denied', adds: true },
  records: { label: 'records', adds: true },
  bytes: { label: 'bytes', adds: true },
  users: { label: 'users' },
  clients: { label: 'clients' },
  agents: { label: 'agents' },
  addresses: { label: 'addresses', ofPayloads: true },
  tokens: { label: 'tokens' },
  first_use: { label: 'first use', isTime: true },
  last_use: { label: 'last use', isTime: true },
};

export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as Dimension[];
export const MEASURE_NAMES = Object.keys(MEASURES) as Measure[];
export const MAX_GROUPS = 4;
export const MAX_LIMIT = 1_000;

export const MEMBER_WORDS: Readonly<Record<Member, string>> = {
  equals: 'is',
  entity: 'is exactly',
  in: 'is any of',
  not: 'is none of',
  prefix: 'begins with',
  from: 'is at or after',
  to: 'is before',
  min: 'is at least',
  max: 'is at most',
  missing: 'has a value or none',
};

/** Members whose value is a list. */
export const isList = (member: Member): boolean => member === 'in' || member === 'not';

/** Whether the answer is over time: hours or days in their order. */
export const timeOf = (by: readonly Dimension[]): 'hour' | 'day' | undefined =>
  by.includes('hour') ? 'hour' : by.includes('day') ? 'day' : undefined;
