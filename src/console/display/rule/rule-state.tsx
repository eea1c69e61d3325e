import { Badge, type MantineColor } from '@mantine/core';
import type { Rule } from '../../api/rules.js';
import { stateText } from './words.js';

/** Filled is a rule that stops something, yellow one that is not known to yet. */
export function RuleState({ rule }: { readonly rule: Pick<Rule, 'state' | 'in_force' | 'lift'> }) {
  const isWaiting = rule.state === 'lifted' ? rule.lift?.in_force === false : rule.state === 'live' && !rule.in_force;
  const look: { color: MantineColor; variant: 'filled' | 'default' } = isWaiting
    ? { color: 'yellow.5', variant: 'filled' }
    : rule.state === 'live'
      ? { color: 'red.8', variant: 'filled' }
      : { color: 'gray', variant: 'default' };
  return (
    <Badge {...look} size="sm" radius="sm" miw="max-content" autoContrast>
      {stateText(rule)}
    </Badge>
  );
}
