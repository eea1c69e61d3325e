import type { Answer } from '../../api/client.js';
import classes from './severity.module.css';

export const Severity = ({ of }: { readonly of: Answer<'FindingItem'>['severity'] }) => (
  <span className={`${classes.severity} ${classes[of]}`}>{of}</span>
);
