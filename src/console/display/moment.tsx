import { timeText } from './times.js';
import classes from './cells.module.css';

/** A time in the zone of the browser, with the zone; the pointer shows it as the API said it. Stacked, it takes two lines. */
export function Moment({ at, stacked = false }: { readonly at: string; readonly stacked?: boolean }) {
  const [date, ...rest] = timeText(at).split(' ');
  return (
    <time className={classes.whole} dateTime={at} title={at}>
      {date} {stacked && <br />}
      {rest.join(' ')}
    </time>
  );
}
