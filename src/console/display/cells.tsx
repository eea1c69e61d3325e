import type { ReactNode } from 'react';
import { countText } from './numbers.js';
import classes from './cells.module.css';

// Cells of tables are plain elements: a component of Mantine takes ten times as long to draw, and a table has hundreds.

/** A count, which stands at the right of its column. Nothing is faint. */
export const Count = ({ of }: { readonly of: number }) => (
  <div className={of === 0 ? `${classes.count} ${classes.faint}` : classes.count}>{countText(of)}</div>
);

/** Words that matter less than those beside them. */
export const Faint = ({ children }: { readonly children: ReactNode }) => (
  <span className={classes.faint}>{children}</span>
);

/** A small line beneath the words of a cell. One that is clamped has two lines at most. */
export const Below = ({
  children,
  isClamped = false,
}: {
  readonly children: ReactNode;
  readonly isClamped?: boolean;
}) => <div className={`${classes.small} ${classes.faint} ${isClamped ? classes.clamped : ''}`}>{children}</div>;

/** Several things side by side, in as many lines as they take. */
export const Several = ({ children }: { readonly children: ReactNode }) => (
  <div className={classes.several}>{children}</div>
);
