import { Badge, Table, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { Moment } from '../../display/moment.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import type { Channel } from './queries.js';

export function ChannelTable({ channels }: { readonly channels: readonly Channel[] }) {
  const navigate = useNavigate({ from: '/channels' });
  return (
    <Table aria-label="Channels" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Channel</Table.Th>
          <Table.Th scope="col">Sends to</Table.Th>
          <Table.Th scope="col" visibleFrom="md">
            Lets through
          </Table.Th>
          <Table.Th scope="col" ta="right" visibleFrom="sm">
            Waiting
          </Table.Th>
          <Table.Th scope="col" ta="right">
            Dead
          </Table.Th>
          <Table.Th scope="col" visibleFrom="md">
            Changed
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {channels.map((channel) => (
          <Table.Tr
            key={channel.name}
            style={{ cursor: 'pointer' }}
            onClick={() => void navigate({ search: { channel: channel.name } })}
          >
            <Table.Td>
              <PageLink from="/channels" to="/channels" search={{ channel: channel.name }} inherit fw={500}>
                {channel.name}
              </PageLink>{' '}
              {!channel.enabled && (
                <Badge size="sm" variant="default" radius="sm">
                  off
                </Badge>
              )}
              <Text size="xs" c="dimmed">
                {channel.kind}
              </Text>
            </Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>
              <Name>{channel.target}</Name>
            </Table.Td>
            <Table.Td visibleFrom="md">{filterText(channel)}</Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              {countText(channel.waiting)}
            </Table.Td>
            <Table.Td ta="right" {...(channel.dead > 0 ? { c: 'red', fw: 600 } : {})}>
              {countText(channel.dead)}
            </Table.Td>
            <Table.Td visibleFrom="md">
              <Moment at={channel.updated_at} stacked />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Says which findings a channel lets through. */
function filterText({ severity, kinds, news, tags }: Channel): string {
  const said = [
    severity === 'info' ? '' : severity === 'critical' ? 'critical' : `${severity} or higher`,
    kinds === null ? '' : `${countText(kinds.length)} kinds`,
    news === null ? '' : news.join(', '),
    tags === null ? '' : `tagged ${tags.join(', ')}`,
  ].filter((one) => one !== '');
  return said.length === 0 ? 'every finding' : said.join(' · ');
}
