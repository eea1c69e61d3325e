import {
  MAX_IDENTIFIER_LENGTH,
  MOMENT_INPUT,
  nameSchemas,
  NO_NUL,
  TIME_INPUT,
  timeInput,
} from '../../contracts/index.js';
import {
  DIMENSION_NAMES,
  dimensionOf,
  filterMembersOf,
  MEASURE_NAMES,
  measureOf,
  type Dimension,
  type FilterMember,
} from './vocabulary.js';

/* Schemas of the bodies, made of the vocabulary. The reader validates by them, and OpenAPI shows them. */

export const MAX_GROUPS = 4;
export const DEFAULT_ITEMS = 20;
export const MAX_ITEMS = 1_000;
export const MAX_PAGE = 1_000;
/** Values of one filter. */
export const MAX_VALUES = 100;
const MAX_ORDERS = 4;
const MAX_ENTITY_ID = 2 ** 31 - 1;
export const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

const object = <P extends object>(properties: P, rest: object = {}) =>
  ({ type: 'object', properties, additionalProperties: false, ...rest }) as const;
const text = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL } as const;
const integer = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum }) as const;
const ENTITY_VALUE = {
  anyOf: [integer(1, MAX_ENTITY_ID), text],
  description: 'id of the entity, as answers give it, or its name (the last part of it: `sub`, `client_id`, URI)',
} as const;
/** The last four bits of 16 bytes must be zero, so that a token has one spelling. */
export const TOKEN_PATTERN = '^[A-Za-z0-9_-]{21}[AQgw]$';

function valueOf(dimension: Dimension): object {
  switch (dimension.type) {
    case 'entity':
      return ENTITY_VALUE;
    case 'code':
      return { enum: Object.keys(dimension.codes) };
    case 'number':
      return integer(dimension.least, dimension.most);
    case 'time':
      return TIME_INPUT;
    case 'token':
      return { type: 'string', pattern: TOKEN_PATTERN };
    case 'source':
    case 'lookup':
      return text;
  }
}

const listOf = (items: object) => ({ type: 'array', items, minItems: 1, maxItems: MAX_VALUES }) as const;

function memberSchema(dimension: Dimension, member: FilterMember): object {
  const value = valueOf(dimension);
  switch (member) {
    case 'equals':
      return value;
    case 'entity':
      return {
        ...integer(1, MAX_ENTITY_ID),
        description:
          'the id that a group or a row has: uses under this name alone, and not under the others of the same user or client',
      };
    case 'in':
      return { ...listOf(value), description: 'any of these' };
    case 'not':
      return { ...listOf(value), description: 'none of these; uses without a value are included' };
    case 'prefix':
      return { ...text, description: 'begins with this text' };
    case 'from':
      return timeInput('at or after this time');
    case 'to':
      return timeInput('before this time');
    case 'min':
      return { ...value, description: 'at least this' };
    case 'max':
      return { ...value, description: 'at most this' };
    case 'missing':
      return { type: 'boolean', description: 'true: uses without a value; false: uses with one' };
  }
}

const filterOf = (dimension: Dimension): object =>
  object(Object.fromEntries(filterMembersOf(dimension).map((member) => [member, memberSchema(dimension, member)])), {
    minProperties: 1,
    description: dimension.description,
  });

const list = (entries: readonly (readonly [string, string])[]): string =>
  entries.map(([name, description]) => `\`${name}\`: ${description}`).join('. ');

export const FILTER = object(Object.fromEntries(DIMENSION_NAMES.map((name) => [name, filterOf(dimensionOf(name))])), {
  description: 'A use must meet all members, and all conditions within one.',
});

export const DIMENSION = {
  type: 'string',
  enum: DIMENSION_NAMES,
  description: list(DIMENSION_NAMES.map((name) => [name, dimensionOf(name).description])),
} as const;
export const MEASURE = {
  type: 'string',
  enum: MEASURE_NAMES,
  description: list(MEASURE_NAMES.map((name) => [name, measureOf(name).description])),
} as const;

const FROM = timeInput('The earliest time of a use. Default: 30 days before the moment of the question.');
const TO = timeInput('The time before which uses began. Default: no end.');
const WINDOW = object({ from: FROM, to: TO }, { required: ['from', 'to'] });
const RANGE = object({ min: integer(0, MAX_NUMBER), max: integer(0, MAX_NUMBER) }, { minProperties: 1 });
const TIMES = object(
  { from: timeInput('at or after this time'), to: timeInput('before this time') },
  { minProperties: 1 },
);

export const ORDER_OF = ['value', 'before', 'delta', 'ratio'] as const;

const ASKED = { filter: FILTER, from: FROM, to: TO, as_of: MOMENT_INPUT };

export const EXPLORE_QUESTION = object({
  measures: {
    type: 'array',
    items: MEASURE,
    minItems: 1,
    maxItems: MEASURE_NAMES.length,
    uniqueItems: true,
    default: ['calls'],
  },
  by: { type: 'array', items: DIMENSION, maxItems: MAX_GROUPS, uniqueItems: true, default: [] },
  ...ASKED,
  compare: {
    ...WINDOW,
    description: 'Another window, with which each group is compared. Groups that have uses in either window are shown.',
  },
  having: object(Object.fromEntries(MEASURE_NAMES.map((name) => [name, measureOf(name).time ? TIMES : RANGE])), {
    description: 'Only groups whose measures lie in these ranges. The measure must be among `measures`.',
  }),
  order: {
    type: 'array',
    maxItems: MAX_ORDERS,
    items: object(
      {
        by: { type: 'string', enum: [...MEASURE_NAMES, ...DIMENSION_NAMES] },
        of: {
          type: 'string',
          enum: ORDER_OF,
          default: 'value',
          description:
            'For a measure, if the question compares: its value, its value before, the difference or the ratio.',
        },
        descending: { type: 'boolean', default: true },
      },
      { required: ['by'] },
    ),
    description:
      'Default: the first measure, the largest first; if the question compares, its difference. Names are ordered by the ids of entities.',
  },
  limit: { ...integer(1, MAX_ITEMS), default: DEFAULT_ITEMS, description: 'groups in the answer; for `json` alone' },
  format: {
    type: 'string',
    enum: ['json', 'csv'],
    default: 'json',
    description: '`json`: the first groups. `csv`: all groups, at most 100,000.',
  },
});

export const ROWS_QUESTION = object({
  ...ASKED,
  format: {
    type: 'string',
    enum: ['json', 'csv', 'jsonl'],
    default: 'json',
    description: '`json`: a page, newest first. `csv` and `jsonl`: all rows, in the order of the ledger, streamed.',
  },
  limit: { ...integer(1, MAX_PAGE), default: MAX_PAGE, description: 'rows a page; for `json` alone' },
  cursor: { ...text, description: '`next` of the previous page, for `json` alone' },
});

nameSchemas({ ExploreFilter: FILTER, ExploreQuestion: EXPLORE_QUESTION, ExploreRowsQuestion: ROWS_QUESTION });
