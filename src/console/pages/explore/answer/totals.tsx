import { Group, Paper, Stack, Text } from '@mantine/core';
import { Moment } from '../../../display/moment.js';
import { PageLink } from '../../../display/page-link.js';
import { MEASURES, type Measure } from '../question/vocabulary.js';
import type { Item } from '../question/queries.js';
import { numberText, valueOf, whatsOf } from './values.js';

/** The answer of a question without groups: one number a measure. */
export function Totals({ item, measures }: { readonly item: Item; readonly measures: readonly Measure[] }) {
  return (
    <Stack gap="xs">
      <Group gap="xs" align="stretch" role="group" aria-label="Sums">
        {measures.map((measure) => (
          <Total key={measure} item={item} measure={measure} />
        ))}
      </Group>
      <Text size="sm">
        <PageLink from="/explore" to="/explore" search={(before) => ({ ...before, rows: {} })} inherit>
          The uses behind it
        </PageLink>
      </Text>
    </Stack>
  );
}

function Total({ item, measure }: { readonly item: Item; readonly measure: Measure }) {
  const value = valueOf(item, measure, 'value');
  const isCompared = item.before !== undefined && whatsOf(measure, true).includes('delta');
  return (
    <Paper withBorder px="sm" py="xs" miw={140}>
      <Text size="xs" c="dimmed">
        {MEASURES[measure].label}
      </Text>
      <Text fz={22} fw={600} lh={1.3}>
        {item.at_least && typeof value === 'number' && 'at least '}
        {typeof value === 'string' ? <Moment at={value} /> : numberText(value, 'value')}
      </Text>
      {isCompared && (
        <Text size="xs" c="dimmed">
          {numberText(valueOf(item, measure, 'delta'), 'delta')} against{' '}
          {numberText(valueOf(item, measure, 'before'), 'before')}
        </Text>
      )}
    </Paper>
  );
}
