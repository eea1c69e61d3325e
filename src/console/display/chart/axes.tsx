import { countText } from '../numbers.js';
import { timesBetween } from './scale.js';
import classes from './chart.module.css';

interface AxesProps {
  /** Values of the lines, the last at the top of the drawing (`linesTo`). */
  readonly lines: readonly number[];
  /** Epoch milliseconds. */
  readonly begin: number;
  readonly end: number;
}

/** The lines across a drawing over time, and the times beneath it. */
export const Axes = ({ lines, begin, end }: AxesProps) => (
  <>
    {[0, ...lines].map((value) => (
      <div key={value} className={classes.line} style={{ bottom: percent(value / lines.at(-1)!) }}>
        <span className={classes.value}>{countText(value)}</span>
      </div>
    ))}
    {timesBetween(begin, end).map(({ at, text }) => (
      <span key={at} className={classes.time} style={{ left: percent((at - begin) / (end - begin)) }}>
        {text}
      </span>
    ))}
  </>
);

const percent = (share: number): string => `${share * 100}%`;
