import { recordedKeys, type ControlRecord } from '../control/index.js';
import { commonSelector, splitSelectorKey, type SelectorKeys } from '../rules/index.js';
import { frame } from './frames.js';

/** What a record means to the guards of its tenant. */
export type Effect =
  /** Tokens with these keys must be asked about again. `resource`: whom it concerns alone, as base64url. */
  | { readonly kind: 'rule'; readonly frame: string; readonly resource: string | undefined }
  /** All tokens must. `caller`: of the guards of this caller alone. */
  | { readonly kind: 'forget'; readonly frame: string; readonly caller: string | undefined }
  /** None: what an answer depends on did not change, or only from *inactive* to *active*, which no guard remembers. */
  | { readonly kind: 'seq' };

const SEQ: Effect = { kind: 'seq' };

/** Every kind of record has its row here. */
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

/** Guards hear what several selectors have in common: they ask again about more than the rule reaches, never about less. */
function ruleEffect(seq: bigint, keys: SelectorKeys): Effect {
  const selector = commonSelector(keys);
  const resource = splitSelectorKey(selector).find(([dimension]) => dimension === 'resource')?.[1];
  return { kind: 'rule', frame: frame('rule', seq, { shape: selector.shape, key: toBase64url(selector.key) }), resource: resource === undefined ? undefined : toBase64url(resource) };
}

/** A rule key as it stands on the wire. */
export const toBase64url = (key: string): string => Buffer.from(key, 'latin1').toString('base64url');
