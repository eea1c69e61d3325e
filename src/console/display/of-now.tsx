import { Text } from '@mantine/core';
import { useMoments } from '../api/moment.js';
import { Moment } from './moment.js';

/** Marks what is known for now alone, on a page that shows the past. */
export function OfNow() {
  const { at } = useMoments();
  if (at === undefined) return null;
  return (
    <Text span size="xs" fs="italic">
      now, not <Moment at={at} />
    </Text>
  );
}

/** Says beside a button that it acts now, whatever moment the page shows. */
export function ActsNow() {
  const { at } = useMoments();
  if (at === undefined) return null;
  return (
    <Text size="xs" c="dimmed">
      This acts now, not at <Moment at={at} />.
    </Text>
  );
}
