import { Code, Group, Select, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMoments } from '../../api/moment.js';
import { Below, Several } from '../../display/cells.js';
import { DataTable, type Columns } from '../../display/data-table.js';
import type { Entity } from '../../display/entity.js';
import { EntityLink } from '../../display/entity-link.js';
import { EvidenceOfRows } from '../../display/evidence/evidence-button.js';
import { Part } from '../../display/facts.js';
import { jsonText } from '../../display/names.js';
import { Moment } from '../../display/moment.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { Sentence } from '../../display/name.js';
import type { Kind } from './kinds.js';
import { useTimeline, type Line } from './queries.js';
import { LINES, type EntitySearch, type Lines as Kinds } from './search.js';
import classes from '../../display/cells.module.css';

/** All that happened to the entity in the time that the URL says, the newest first. The kind `rule` has the rules that concern it. */
export function EntityTimeline({ kind, id }: { readonly kind: Kind; readonly id: string }) {
  const search = useSearch({ strict: false }) as EntitySearch;
  const navigate = useNavigate();
  const choose = (lines: Kinds | null): void =>
    void navigate({
      to: '.',
      search: (before: object) => ({ ...before, lines: lines ?? undefined }),
      replace: true,
      resetScroll: false,
    });
  const beside = (
    <Select
      aria-label="Kind of line"
      placeholder="Everything"
      data={LINES}
      value={search.lines ?? null}
      onChange={(lines) => choose(lines)}
      clearable
      size="xs"
      w={150}
    />
  );
  return (
    <Part title="Timeline" beside={beside}>
      <Lines kind={kind} id={id} search={search} />
    </Part>
  );
}

function Lines({ kind, id, search }: { readonly kind: Kind; readonly id: string; readonly search: EntitySearch }) {
  const { against } = useMoments();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useTimeline(kind, id, {
    ...search,
    from: search.from ?? against,
  });
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.length === 0) return <Empty title="Nothing happened">No line of this kind lies in this time.</Empty>;
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          {countText(data.length)} {hasNextPage ? 'shown, more when you scroll' : 'in all'}
        </Text>
        <EvidenceOfRows size="compact-xs" indexes={data.map(entryOf)} />
      </Group>
      <DataTable
        label="Timeline"
        rows={data.map((line, nth) => ({ line, key: String(nth) }))}
        columns={COLUMNS}
        keyOf={keyOf}
        onEnd={() => void (hasNextPage && !isFetchingNextPage && fetchNextPage())}
      />
    </>
  );
}

interface Row {
  readonly line: Line;
  readonly key: string;
}
const keyOf = ({ key }: Row): string => key;

const COLUMNS: Columns<Row> = [
  { id: 'at', header: 'When', cell: ({ row }) => <Moment at={row.original.line.at} stacked /> },
  { id: 'what', header: 'What happened', cell: ({ row }) => <What line={row.original.line} /> },
];

function What({ line }: { readonly line: Line }) {
  return (
    <>
      <div className={classes.head}>{headOf(line)}</div>
      <Several>
        {partiesOf(line).map((entity) => (
          <span key={`${entity.kind} ${entity.is.entity}`} className={classes.small}>
            <EntityLink entity={entity} withKind />
          </span>
        ))}
      </Several>
      {moreOf(line)}
    </>
  );
}

function headOf(line: Line): string {
  switch (line.kind) {
    case 'use':
      return `${countText(line.accesses)} ${line.accesses === 1 ? 'use' : 'uses'} ${line.outcome}`;
    case 'grant':
      return `${countText(line.grants)} ${line.grants === 1 ? 'grant' : 'grants'} ${line.what === 'granted' ? 'given' : 'grew'}`;
    case 'rule':
      return `rule ${line.what}: ${line.effect}`;
    case 'account':
    case 'connection':
    case 'denial':
      return line.event;
    case 'conflict':
      return line.of === 'token' ? 'events contradict a token' : 'events contradict an ID-JAG';
    case 'refusal':
      return `a token was refused: ${line.reason}`;
    case 'issued':
      return line.of === 'token' ? 'token issued' : 'ID-JAG issued';
    case 'name':
      return 'a name was first seen';
  }
}

/** The entry behind a line; introspection remembers refusals of its own, and no entry says so. */
const entryOf = (line: Line): string | null => ('index' in line ? line.index : null);

function moreOf(line: Line): ReactNode {
  switch (line.kind) {
    case 'rule':
      return (
        <Below>
          <Code>{jsonText(line.selector)}</Code> <Sentence>{line.reason}</Sentence>
        </Below>
      );
    case 'grant':
      return (
        line.scopes_added.length > 0 && (
          <Below>
            <Sentence>{line.scopes_added.join(' ')}</Sentence>
          </Below>
        )
      );
    case 'refusal':
      return (
        <Below>
          <Sentence>{line.says}</Sentence>{' '}
          <PageLink to="/tokens/$id" params={{ id: line.token }} inherit>
            the token
          </PageLink>
        </Below>
      );
    default:
      return null;
  }
}

/** Everybody whom a line names. */
function partiesOf(line: Line): Entity[] {
  const parties: Entity[] = [];
  if ('user' in line && line.user) parties.push({ kind: 'user', is: line.user });
  if ('client' in line && line.client) parties.push({ kind: 'client', is: line.client });
  if ('agent' in line && line.agent) parties.push({ kind: 'agent', is: line.agent });
  if ('resource' in line && line.resource) parties.push({ kind: 'resource', is: line.resource });
  if ('resources' in line) for (const is of line.resources) parties.push({ kind: 'resource', is });
  return parties;
}
