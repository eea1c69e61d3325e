import { recordedKeys, type ControlRecord } from '../control/index.js';
import { commonSelector, splitSelectorKey, type SelectorKeys } from '../rules/index.js';
import { frame } from './sse/frames.js';

/** Effect of a record on the guards of its tenant. */
export type Effect =
  /** Guards must ask again about tokens with these keys. `resource`: the only resource concerned, as base64url. */
  | { readonly kind: 'rule'; readonly frame: string; readonly resource: string | undefined }
  /** Guards must ask again about all tokens. `caller`: only the guards of this caller. */
  | { readonly kind: 'forget'; readonly frame: string; readonly caller: string | undefined }
  /** No effect: no answer changes, or answers change only from *inactive* to *active*, which no guard remembers. */
  | { readonly kind: 'seq' };

const SEQ: Effect = { kind: 'seq' };

/** Returns the effect of a record. Every kind of record has its case here. */
export function effectOf(record: ControlRecord): Effect {
  switch (record.kind) {
    case 'rule.ordered':
      return ruleEffect(record.seq, recordedKeys(record.body));
    case 'source.changed':
    case 'tenant.changed':
      return { kind: 'forget', frame: frame('forget', record.seq, {}), caller: undefined };
    case 'caller.changed':
      return { kind: 'forget', frame: frame('forget', record.seq, {}), caller: record.body.id };
    case 'rule.lifted':
    case 'subject.enabled':
      return SEQ;
    default:
      return record satisfies never;
  }
}

/**
 * Tells guards the keys that several selectors have in common: guards ask again about more tokens than the rule selects, never about
 * fewer.
 */
function ruleEffect(seq: bigint, keys: SelectorKeys): Effect {
  const selector = commonSelector(keys);
  const resource = splitSelectorKey(selector).find(([dimension]) => dimension === 'resource')?.[1];
  return {
    kind: 'rule',
    frame: frame('rule', seq, { shape: selector.shape, key: toBase64url(selector.key) }),
    resource: resource === undefined ? undefined : toBase64url(resource),
  };
}

/** Encodes a rule key as the wire has it. */
export const toBase64url = (key: string): string => Buffer.from(key, 'latin1').toString('base64url');
