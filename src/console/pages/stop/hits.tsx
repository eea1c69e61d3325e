import { Alert, Stack, Table, Text } from '@mantine/core';
import { countText } from '../../display/numbers.js';
import type { Terms } from '../../display/rule/words.js';
import { Failed, Loading } from '../../display/states.js';
import { usePreview, type Preview } from './queries.js';

const ROWS = [
  ['users', 'users'],
  ['tokens', 'live tokens'],
  ['used_in_last_hour', 'of these, used in the last hour'],
  ['grants', 'grants'],
  ['connections', 'connections'],
] as const satisfies readonly (readonly [keyof Preview, string])[];

/** Shows what the rule would stop, counted now. */
export function Hits({ terms }: { readonly terms: Terms }) {
  const { data, error, isPending, refetch } = usePreview(terms);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const { unknown, at_least } = data;
  return (
    <Stack gap="xs">
      {unknown && unknown.length > 0 && (
        <Alert color="yellow" title="This name was never seen">
          No event has named this {unknown.join(' or this ').replaceAll('_', ' ')}. Check the spelling.
        </Alert>
      )}
      <Table aria-label="What it hits" withTableBorder maw={360}>
        <Table.Tbody>
          {ROWS.map(([member, label]) => (
            <Table.Tr key={member}>
              <Table.Th scope="row" fw={400}>
                {label}
              </Table.Th>
              <Table.Td ta="right" fw={600}>
                {at_least === true && 'at least '}
                {countText(data[member])}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed">
        {at_least === true
          ? 'The numbers are lower bounds: there was more than one question counts.'
          : 'The numbers are exact. Tokens that another rule stops already are counted, too.'}
      </Text>
    </Stack>
  );
}
