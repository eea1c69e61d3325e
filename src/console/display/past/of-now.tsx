import { Text } from '@mantine/core';
import { useMoments } from '../../api/moment.js';
import { Moment } from '../moment.js';

/** Marks what is known for now alone, on a page that shows the past. `what` names it where the rest of the page is of the past. */
export function OfNow({ what }: { readonly what?: string }) {
  const { at } = useMoments();
  if (at === undefined) return null;
  return (
    <Text span size="xs" fs="italic">
      {what !== undefined && `${what}: `}now, not <Moment at={at} />
    </Text>
  );
}

/** Says beside a button that what it does happens now, whatever moment the page shows. */
export function ActsNow({ what }: { readonly what: string }) {
  const { at } = useMoments();
  if (at === undefined) return null;
  return (
    <Text size="xs" c="dimmed">
      {what} acts now, not at <Moment at={at} />.
    </Text>
  );
}
