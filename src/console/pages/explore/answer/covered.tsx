import { Moment } from '../../../display/moment.js';
import { countText } from '../../../display/numbers.js';
import type { Window } from '../question/search.js';

interface CoveredProps {
  readonly window: Window;
  /** The end that was asked for. Without one, uses up to now count. */
  readonly to: string | undefined;
  readonly index: string;
}

/** Says which uses an answer covers. */
export function Covered({ window, to, index }: CoveredProps) {
  return (
    <>
      uses since <Moment at={window.from} />
      {to !== undefined && (
        <>
          {' '}
          until <Moment at={window.to} />
        </>
      )}{' '}
      · as of entry {countText(BigInt(index))}
    </>
  );
}
