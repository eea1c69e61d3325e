import type { Answer } from '../../api/client.js';

type Finding = Answer<'FindingItem'>;

/** Every value once; the compiler complains of one that the API has and this list lacks. */
export const valuesOf = <Value extends string>(values: Readonly<Record<Value, true>>): readonly Value[] =>
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
