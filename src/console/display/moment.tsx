import { Text } from '@mantine/core';
import { timeText } from './times.js';

/** A time in the zone of the browser, with the zone; the pointer shows it as the API said it. Stacked, it takes two lines. */
export function Moment({ at, stacked = false }: { readonly at: string; readonly stacked?: boolean }) {
  const [date, ...rest] = timeText(at).split(' ');
  return (
    <Text component="time" dateTime={at} title={at} inherit style={{ whiteSpace: 'nowrap' }}>
      {date} {stacked && <br />}
      {rest.join(' ')}
    </Text>
  );
}
