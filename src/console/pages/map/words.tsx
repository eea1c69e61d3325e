import { Text } from '@mantine/core';
import { nameOf, type Entity } from '../../display/entity.js';
import { safeText } from '../../display/names.js';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { timeText } from '../../display/times.js';
import type { Cell } from './matrix.js';
import type { State } from './search.js';

export const STATE_WORDS: Readonly<Record<State, string>> = {
  used: 'used',
  dormant: 'dormant',
  granted: 'granted, never used',
  denied: 'denied only',
};

interface SaidProps {
  readonly row: Entity;
  readonly resource: Entity;
  readonly cell: Cell | undefined;
}

const usersText = (grants: number): string => `${countText(grants)} ${grants === 1 ? 'user' : 'users'}`;

/** Says a cell in a sentence for who sees it. */
export function Said({ row, resource, cell }: SaidProps) {
  return (
    <Text size="sm" component="div" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
      <Text span inherit fw={600}>
        <Name>{nameOf(row)}</Name>
      </Text>{' '}
      at{' '}
      <Text span inherit fw={600}>
        <Name>{nameOf(resource)}</Name>
      </Text>
      : {cell === undefined ? 'no connection' : <SaidCell cell={cell} />}
    </Text>
  );
}

function SaidCell({ cell }: { readonly cell: Cell }) {
  const { state, grants, allowed, denied, granted, used, lastUsed } = cell;
  return (
    <>
      {STATE_WORDS[state]}; {usersText(grants)}; granted <Scopes of={granted} />
      {used.length > 0 && (
        <>
          , used <Scopes of={used} />
        </>
      )}
      ; {countText(allowed)} calls allowed, {countText(denied)} denied
      {lastUsed !== null && (
        <>
          ; last use <Moment at={lastUsed} />
        </>
      )}
    </>
  );
}

function Scopes({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return <>no scope</>;
  return of.map((scope, nth) => (
    <span key={scope}>
      {nth > 0 && ' '}
      <Name>{scope}</Name>
    </span>
  ));
}

/** The same sentence for who hears it. */
export function saidText({ row, resource, cell }: SaidProps): string {
  const names = `${safeText(nameOf(row))} at ${safeText(nameOf(resource))}`;
  if (cell === undefined) return `${names}: no connection`;
  const scopes = (of: readonly string[]): string => (of.length === 0 ? 'no scope' : of.map(safeText).join(' '));
  return [
    `${names}: ${STATE_WORDS[cell.state]}`,
    usersText(cell.grants),
    `granted ${scopes(cell.granted)}`,
    `used ${scopes(cell.used)}`,
    `${countText(cell.allowed)} calls allowed, ${countText(cell.denied)} denied`,
    cell.lastUsed === null ? 'never used' : `last use ${timeText(cell.lastUsed)}`,
  ].join('; ');
}
