import { Group, Select, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMoments } from '../../api/moment.js';
import { DataTable } from '../../display/data-table.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { COLUMNS, sortOf, WIDE } from './columns.js';
import { PLURALS, type Kind } from './kinds.js';
import { useEntities, type EntityRow } from './queries.js';
import type { ListSearch } from './search.js';

export const UsersPage = () => <ListPage kind="user" />;
export const ClientsPage = () => <ListPage kind="client" />;
export const AgentsPage = () => <ListPage kind="agent" />;
export const ResourcesPage = () => <ListPage kind="resource" />;

const keyOf = ({ entity }: EntityRow): string => String(entity.is.entity);
const TYPING_MS = 250;
const SINCE = [
  { value: '1d', label: 'New in 24 hours' },
  { value: '7d', label: 'New in 7 days' },
  { value: '30d', label: 'New in 30 days' },
];
const OWNERS = [
  { value: 'missing', label: 'Without an owner' },
  { value: 'present', label: 'With an owner' },
];

function ListPage({ kind }: { readonly kind: Kind }) {
  const search = useSearch({ strict: false }) as ListSearch;
  const navigate = useNavigate();
  const filter = (change: ListSearch): void =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, ...change }), replace: true });
  return (
    <>
      <Group justify="space-between" align="flex-end" mb="sm" gap="xs">
        <Title order={1}>{PLURALS[kind]}</Title>
        <Filters search={search} onChange={filter} />
      </Group>
      <List kind={kind} search={search} />
    </>
  );
}

function Filters({
  search,
  onChange,
}: {
  readonly search: ListSearch;
  readonly onChange: (change: ListSearch) => void;
}) {
  const { q, owner, new_since: since } = search;
  const type = useDebouncedCallback((text: string) => onChange({ q: text.trim() || undefined }), TYPING_MS);
  const { against } = useMoments();
  const spans = against === undefined ? SINCE : [{ value: against, label: 'New since the earlier moment' }, ...SINCE];
  const isOther = since !== undefined && spans.every(({ value }) => value !== since);
  return (
    <Group gap="xs">
      <TextInput
        aria-label="Name"
        size="xs"
        placeholder="Part of a name"
        defaultValue={q ?? ''}
        onChange={({ currentTarget }) => type(currentTarget.value)}
        w={180}
      />
      <Select
        aria-label="Owner"
        placeholder="Any owner"
        data={OWNERS}
        value={owner ?? null}
        onChange={(value) => onChange({ owner: (value ?? undefined) as ListSearch['owner'] })}
        clearable
        w={160}
      />
      <Select
        aria-label="New since"
        placeholder="Known at any time"
        data={isOther ? [...spans, { value: since, label: `New since ${since}` }] : spans}
        value={since ?? null}
        onChange={(value) => onChange({ new_since: value ?? undefined })}
        clearable
        w={180}
      />
    </Group>
  );
}

function List({ kind, search }: { readonly kind: Kind; readonly search: ListSearch }) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useEntities(kind, search);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.length === 0)
    return <Empty title="Nobody is found">No event names one that these filters let through.</Empty>;
  return (
    <DataTable
      label={PLURALS[kind]}
      rows={data}
      columns={COLUMNS[kind]}
      wide={WIDE}
      keyOf={keyOf}
      sorted={sortOf(search)}
      onEnd={() => void (hasNextPage && !isFetchingNextPage && fetchNextPage())}
    />
  );
}
