import { Button, Group, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMe } from '../../api/me.js';
import { DataTable } from '../../display/data-table.js';
import { ActsNow, OfNow } from '../../display/past/of-now.js';
import { Empty, Failed, Loading } from '../../display/states.js';
import { COLUMNS, WIDE } from './columns.js';
import { ConnectDrawer } from './connect.js';
import { NotSeen } from './not-seen.js';
import { useCoverage, type Source } from './queries.js';

const keyOf = ({ source }: Source): string => source.id;

export function SourcesPage() {
  const [isConnecting, setConnecting] = useState(false);
  const { data: me } = useMe();
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Group gap="xs" align="baseline">
          <Title order={1}>Sources</Title>
          <OfNow what="which sources there are, and what was refused" />
        </Group>
        {me?.may.administer === false ? (
          <Text size="sm" c="dimmed">
            Administrators connect sources.
          </Text>
        ) : (
          <Group gap="xs">
            <ActsNow what="Connecting a source" />
            <Button disabled={me === undefined} onClick={() => setConnecting(true)}>
              Connect a source
            </Button>
          </Group>
        )}
      </Group>
      <Coverage />
      <ConnectDrawer opened={isConnecting} onClose={() => setConnecting(false)} />
    </>
  );
}

function Coverage() {
  const { data, error, isPending, refetch } = useCoverage();
  const navigate = useNavigate();
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  if (data.items.length === 0)
    return <Empty title="No source yet">Connect an identity provider or a resource application to see anything.</Empty>;
  return (
    <>
      <NotSeen coverage={data} />
      <DataTable
        label="Sources"
        rows={data.items}
        columns={COLUMNS}
        wide={WIDE}
        keyOf={keyOf}
        onOpen={({ source: { id } }) => void navigate({ to: '/sources/$id', params: { id } })}
      />
    </>
  );
}
