import { UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';

interface SortHeadProps {
  /** How the rows are sorted by this column; undefined: they are not. */
  readonly sorted: 'ascending' | 'descending' | undefined;
  readonly isNumber?: boolean;
  readonly onSort: () => void;
  readonly children: ReactNode;
}

/** The head of a column by which a table can be sorted. */
export function SortHead({ sorted, isNumber = false, onSort, children }: SortHeadProps) {
  return (
    <UnstyledButton
      display="block"
      w="100%"
      ta={isNumber ? 'right' : 'left'}
      fz="inherit"
      fw={sorted === undefined ? 600 : 700}
      style={{ whiteSpace: 'nowrap' }}
      onClick={onSort}
    >
      {children}
      <span aria-hidden>{sorted === undefined ? '' : sorted === 'descending' ? ' ↓' : ' ↑'}</span>
    </UnstyledButton>
  );
}
