import type { Answer } from '../../api/client.js';
import { KINDS, SEVERITIES, STATES } from '../../display/findings/finding-words.js';

type Finding = Answer<'FindingItem'>;

/** The part of the URL that says which findings are shown, and which one is open. */
export interface FindingsSearch {
  readonly state?: Finding['state'][];
  /** This one or a higher one. */
  readonly severity?: Finding['severity'];
  readonly kind?: Finding['kind'][];
  /** Id of the finding that is open. */
  readonly finding?: string;
}

const known = <Value extends string>(values: readonly Value[], given: unknown): Value[] | undefined => {
  const found = [given].flat().filter((one): one is Value => values.includes(one as Value));
  return found.length === 0 ? undefined : found;
};

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readFindingsSearch({ state, severity, kind, finding }: Record<string, unknown>): FindingsSearch {
  return {
    state: known(STATES, state),
    severity: known(SEVERITIES, severity)?.[0],
    kind: known(KINDS, kind),
    finding: typeof finding === 'string' ? finding : undefined,
  };
}
