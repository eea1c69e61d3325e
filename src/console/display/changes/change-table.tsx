import { Table } from '@mantine/core';
import { Fragment, useDeferredValue, type ReactNode } from 'react';
import { Below } from '../cells.js';
import { EntityLink } from '../entity-link.js';
import { Moment } from '../moment.js';
import { Name } from '../name.js';
import { countText } from '../numbers.js';
import type { Change } from '../../api/changes.js';
import classes from '../cells.module.css';

/** Shows what is new about one client, and of the resource if the lines name one; the newest line first. */
export interface ChangesOf {
  readonly key: string;
  readonly lines: readonly Change[];
}

/** Gathers the lines of each client and resource at the place of the newest. */
function gather(lines: readonly Change[]): ChangesOf[] {
  const groups = new Map<string, Change[]>();
  for (const line of lines) {
    const key = `${line.client.entity} ${'resource' in line ? line.resource.entity : ''}`;
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  return [...groups].map(([key, of]) => ({ key, lines: of }));
}

/** Rows of the first frame; the others follow at once. */
const FIRST = 6;

/** Shows changes with whom they concern: a row for all changes of one connection, client or agent. */
export function ChangeTable({ label, lines }: { readonly label: string; readonly lines: readonly Change[] }) {
  const rows = gather(lines);
  const shown = useDeferredValue(rows.length, FIRST);
  return (
    <Table aria-label={label} layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Who</Table.Th>
          <Table.Th scope="col">What</Table.Th>
          <Table.Th scope="col" visibleFrom="md" w={136}>
            When
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.slice(0, shown).map((of) => (
          <ChangeRow key={of.key} of={of} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Who, what happened to them, and when it did last. */
function ChangeRow({ of: { lines } }: { readonly of: ChangesOf }) {
  const [newest] = lines;
  if (newest === undefined) return null;
  return (
    <tr className={`${classes.row} ${classes.top}`}>
      <td className={`${classes.cell} ${classes.wrapped}`}>
        <EntityLink entity={{ kind: 'client', is: newest.client }} />
        {'resource' in newest && (
          <Below>
            at <EntityLink entity={{ kind: 'resource', is: newest.resource }} />
          </Below>
        )}
        <div className="mantine-hidden-from-md">
          <Below>
            <Moment at={newest.last.at} stacked />
          </Below>
        </div>
      </td>
      <td className={`${classes.cell} ${classes.wrapped}`}>
        {lines.map((line) => {
          const { what, more } = wordsOf(line);
          return (
            <div key={`${line.kind} ${line.first.index}`}>
              {what} {more !== undefined && <span className={`${classes.small} ${classes.faint}`}>{more}</span>}
            </div>
          );
        })}
      </td>
      <td className={`${classes.cell} mantine-visible-from-md`}>
        <Moment at={newest.last.at} stacked />
      </td>
    </tr>
  );
}

interface Words {
  readonly what: string;
  readonly more?: ReactNode;
}

const several = (count: number, one: string): string => `${countText(count)} ${one}${count === 1 ? '' : 's'}`;

function wordsOf(change: Change): Words {
  switch (change.kind) {
    case 'connection-appeared':
      return { what: 'New connection', more: <ChangedScopes added={change.scopes_added} /> };
    case 'connection-returned':
      return { what: 'Connection is back', more: <ChangedScopes added={change.scopes_added} /> };
    case 'connection-vanished':
      return { what: 'Connection is gone' };
    case 'connection-changed':
      return {
        what: 'Connection changed',
        more: <ChangedScopes added={change.scopes_added} removed={change.scopes_removed} />,
      };
    case 'unrecorded-appeared':
      return { what: 'New without a connection', more: 'no recorded connection allows it' };
    case 'grants-appeared':
      return { what: 'New grants', more: several(change.grants, 'grant') };
    case 'grants-grew':
      return {
        what: 'Grants grew',
        more: (
          <>
            {change.at_least && 'at least '}
            {several(change.grants, 'grant')}: <ChangedScopes added={change.scopes_added} />
          </>
        ),
      };
    case 'scopes-granted':
      return { what: 'New scopes granted', more: <ChangedScopes added={change.scopes.map(({ scope }) => scope)} /> };
    case 'scopes-used':
      return { what: 'Scopes used first', more: <ChangedScopes added={change.scopes.map(({ scope }) => scope)} /> };
    case 'agents-appeared':
      return { what: 'New agents', more: <Agents of={change.agents} /> };
    case 'users-appeared':
      return { what: 'New users', more: several(change.users, 'user') };
    case 'used-after-rule':
      return {
        what: 'Used after a rule',
        more: (
          <>
            {change.at_least && 'at least '}
            {several(change.uses, 'use')} of {several(change.tokens, 'token')}
            {change.user && (
              <>
                {' of '}
                <EntityLink entity={{ kind: 'user', is: change.user }} />
              </>
            )}
          </>
        ),
      };
  }
}

const SHOWN = 4;

/** Names scopes that came, and with a sign those that came and those that went. */
export function ChangedScopes({
  added,
  removed = [],
}: {
  readonly added: readonly string[];
  readonly removed?: readonly string[];
}) {
  const all = [...added.map((scope) => ['+', scope] as const), ...removed.map((scope) => ['−', scope] as const)];
  return (
    <>
      {all.slice(0, SHOWN).map(([sign, scope]) => (
        <Fragment key={`${sign}${scope}`}>
          {removed.length > 0 && sign}
          <Name>{scope}</Name>{' '}
        </Fragment>
      ))}
      {all.length > SHOWN && `and ${countText(all.length - SHOWN)} more`}
    </>
  );
}

function Agents({ of }: { readonly of: Extract<Change, { kind: 'agents-appeared' }>['agents'] }) {
  return (
    <>
      {of.slice(0, SHOWN).map(({ agent, index, new: isNew }) => (
        <Fragment key={index}>
          <EntityLink entity={{ kind: 'agent', is: agent }} />
          {isNew && ' (never seen before)'}{' '}
        </Fragment>
      ))}
      {of.length > SHOWN && `and ${countText(of.length - SHOWN)} more`}
    </>
  );
}
