import { Text } from '@mantine/core';
import type { Columns } from '../../../display/data-table.js';
import { Moment } from '../../../display/moment.js';
import { PageLink } from '../../../display/page-link.js';
import { SortHead } from '../../../display/sort-head.js';
import { orderOf } from '../question/question.js';
import { DIMENSIONS, type Measure, type Order } from '../question/vocabulary.js';
import type { Item } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';
import { filterOfGroup } from './group-text.js';
import { GroupValue } from './group-value.js';
import { headOf, numberText, valueOf, whatsOf, type What } from './values.js';

/** A row of the table: a group with its place. */
export interface Placed {
  readonly item: Item;
  readonly key: string;
}

/** Groups and measures that a phone has room for. */
const NARROW_GROUPS = 2;

const idOf = (measure: Measure, what: What): string => `${measure} ${what}`;

export function columnsOf(search: ExploreSearch, isCompared: boolean, onSort: (order: Order) => void): Columns<Placed> {
  const { by = [], measures = ['calls'] } = search;
  const order = orderOf(search);
  const head = (name: Order['by'], what: What, label: string, isNumber: boolean) => {
    const isHere = order.by === name && order.of === what;
    const sorted = isHere ? (order.descending ? ('descending' as const) : ('ascending' as const)) : undefined;
    return () => (
      <SortHead
        sorted={sorted}
        isNumber={isNumber}
        onSort={() => onSort({ by: name, of: what, descending: isHere ? !order.descending : isNumber })}
      >
        {label}
      </SortHead>
    );
  };
  return [
    ...by.map((dimension): Columns<Placed>[number] => ({
      id: dimension,
      header: head(dimension, 'value', DIMENSIONS[dimension].label, false),
      cell: ({ row }) => <GroupValue of={row.original.item.group} dimension={dimension} />,
    })),
    ...measures.flatMap((measure) =>
      whatsOf(measure, isCompared).map((what): Columns<Placed>[number] => ({
        id: idOf(measure, what),
        header: head(measure, what, headOf(measure, what), true),
        cell: ({ row }) => <Value of={row.original.item} measure={measure} what={what} />,
      })),
    ),
    {
      id: 'uses',
      header: () => (
        <Text inherit ta="right">
          Behind it
        </Text>
      ),
      cell: ({ row: { original, index } }) => (
        <Text inherit ta="right">
          <PageLink
            from="/explore"
            to="/explore"
            search={(before) => ({ ...before, rows: filterOfGroup(by, original.item.group) })}
            inherit
            aria-label={`Uses behind row ${index + 1}`}
          >
            uses
          </PageLink>
        </Text>
      ),
    },
  ];
}

/** Columns that a phone has no room for. */
export const wideOf = ({ by = [], measures = ['calls'] }: ExploreSearch, isCompared: boolean): string[] => [
  ...by.slice(NARROW_GROUPS),
  ...measures.flatMap((measure, nth) =>
    whatsOf(measure, isCompared)
      .filter((what) => nth > 0 || (isCompared && what !== 'value' && what !== 'delta'))
      .map((what) => idOf(measure, what)),
  ),
];

function Value({ of: item, measure, what }: { readonly of: Item; readonly measure: Measure; readonly what: What }) {
  const value = valueOf(item, measure, what);
  const atLeast = item.at_least === true && what === 'value' && typeof value === 'number';
  return (
    <Text inherit ta="right" c={value === 0 || value === null ? 'dimmed' : undefined} style={{ whiteSpace: 'nowrap' }}>
      {atLeast && 'at least '}
      {typeof value === 'string' ? <Moment at={value} /> : numberText(value, what)}
    </Text>
  );
}
