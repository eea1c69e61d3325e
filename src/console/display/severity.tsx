import { Badge, type MantineColor } from '@mantine/core';
import type { Answer } from '../api/client.js';

type Finding = Answer<'FindingItem'>;

/** Filled are those that cannot wait. */
const LOOKS: Readonly<Record<Finding['severity'], { color: MantineColor; variant: 'filled' | 'light' | 'default' }>> = {
  critical: { color: 'red.9', variant: 'filled' },
  high: { color: 'red.8', variant: 'filled' },
  medium: { color: 'yellow.5', variant: 'filled' },
  low: { color: 'gray', variant: 'default' },
  info: { color: 'gray', variant: 'default' },
};

export function Severity({ of }: { readonly of: Finding['severity'] }) {
  return (
    <Badge {...LOOKS[of]} size="sm" radius="sm" miw="max-content" autoContrast>
      {of}
    </Badge>
  );
}
