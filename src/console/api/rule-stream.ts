import { useEffect, useState } from 'react';
import { listen } from './stream.js';

/** News that `GET /v1/stream` tells of a rule: that it was ordered or lifted, and each step on its way into force. */
export interface RuleStep {
  readonly what: 'ordered' | 'lifted' | 'confirmed' | 'expired' | 'guard-confirmed' | 'not-confirmed' | 'in-force';
  readonly rule: string;
  readonly seq: string;
  /** Since the record was stored, milliseconds. */
  readonly ms?: number;
  /** With an order or a lift: how many nodes have to confirm. */
  readonly nodes?: number;
  readonly node?: string;
  readonly guards?: number;
  readonly caller?: string;
  readonly guard?: string;
  readonly confirmed?: { readonly nodes: number; readonly guards: number; readonly expired: number };
}

export interface RuleStream {
  /** Whether steps are heard now. */
  readonly isOpen: boolean;
  /** Every step that was heard since the page was opened, of any rule. */
  readonly steps: readonly RuleStep[];
}

/** Listens for as long as the component is there. A step that is told again after a reconnect counts once. */
export function useRuleStream(): RuleStream {
  const [isOpen, setOpen] = useState(false);
  const [steps, setSteps] = useState<readonly RuleStep[]>([]);
  useEffect(() => {
    const take = (data: string): void => {
      const step = JSON.parse(data) as RuleStep;
      setSteps((heard) => (heard.some((one) => keyOf(one) === keyOf(step)) ? heard : [...heard, step]));
    };
    return listen({ rule: take }, setOpen);
  }, []);
  return { isOpen, steps };
}

const keyOf = ({ seq, what, node, caller, guard }: RuleStep): string =>
  JSON.stringify([seq, what, node, caller, guard]);
