import { Text } from '@mantine/core';
import type { Rule } from '../../api/rules.js';
import type { Columns } from '../../display/data-table.js';
import { Moment } from '../../display/moment.js';
import { PageLink } from '../../display/page-link.js';
import { AuthorName } from '../../display/rule/author-name.js';
import { RuleState } from '../../display/rule/rule-state.js';
import { SelectorWords } from '../../display/rule/selector-words.js';
import { Sentence } from '../../display/name.js';

export const COLUMNS: Columns<Rule> = [
  { id: 'state', header: 'State', cell: ({ row }) => <RuleState rule={row.original} /> },
  {
    id: 'rule',
    header: 'What is stopped, and why',
    cell: ({ row: { original } }) => (
      <>
        <PageLink to="/rules/$id" params={{ id: original.id }} inherit c="inherit" style={{ overflowWrap: 'anywhere' }}>
          {original.effect}
          <SelectorWords selector={original.selector} or={original.or} />
        </PageLink>
        <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
          <Sentence>{original.reason}</Sentence>
        </Text>
      </>
    ),
  },
  {
    id: 'author',
    header: 'By',
    cell: ({ row }) => (
      <Text inherit style={{ overflowWrap: 'anywhere' }}>
        <AuthorName author={row.original.author} />
      </Text>
    ),
  },
  { id: 'at', header: 'Ordered', cell: ({ row }) => <Moment at={row.original.at} stacked /> },
  {
    id: 'end',
    header: 'Until',
    cell: ({ row: { original } }) => {
      const end = original.ended?.at ?? original.until;
      if (end !== undefined) return <Moment at={end} stacked />;
      return (
        <Text inherit c="dimmed">
          {original.effect === 'block' ? 'lifted' : 'for ever'}
        </Text>
      );
    },
  },
];

/** Columns that a phone has no room for. */
export const WIDE = ['author', 'at', 'end'];
