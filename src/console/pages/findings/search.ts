import type { Answer } from '../../api/client.js';

type Finding = Answer<'FindingItem'>;

/** Every value once; the compiler complains of one that the API has and this list lacks. */
const valuesOf = <Value extends string>(values: Readonly<Record<Value, true>>): readonly Value[] =>
  Object.keys(values) as Value[];

export const STATES = valuesOf<Finding['state']>({
  open: true,
  acknowledged: true,
  resolved: true,
  'false-alarm': true,
  muted: true,
});
export const SEVERITIES = valuesOf<Finding['severity']>({
  info: true,
  low: true,
  medium: true,
  high: true,
  critical: true,
});
export const KINDS = valuesOf<Finding['kind']>({
  'use-after-rule': true,
  'issued-while-disabled': true,
  'token-from-two-networks': true,
  'token-of-another-client': true,
  'bulk-export': true,
  'scopes-grew': true,
  'use-after-silence': true,
  'new-at-sensitive-resource': true,
  refusals: true,
  'second-hop': true,
  'id-jag-replayed': true,
  'source-trouble': true,
  'lineage-trouble': true,
  'long-lived-token': true,
  'idle-rule': true,
  administration: true,
});

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
