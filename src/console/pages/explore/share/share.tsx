import { Button, Group, Menu, Modal, Stack, Text, Textarea, useComputedColorScheme } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import type { EChartsType } from 'echarts/core';
import { useState } from 'react';
import { useMe } from '../../../api/me.js';
import { useMoment } from '../../../api/moment.js';
import { download } from '../../../api/download.js';
import { safeText } from '../../../display/names.js';
import { Failed } from '../../../display/states.js';
import { timeText } from '../../../display/times.js';
import { drawnOf } from '../answer/answer.js';
import { askGroupsFile, type Answered } from '../question/queries.js';
import { MEASURES } from '../question/vocabulary.js';
import { headWords } from '../question/words.js';
import type { ExploreSearch } from '../question/search.js';
import { pictureOf } from './picture.js';
import { conditionLines, ticketOf } from './ticket.js';

interface ShareProps {
  readonly search: ExploreSearch;
  readonly answer: Answered | undefined;
  readonly chart: EChartsType | undefined;
}

/** Shares a question as a link, and exports its answer. Exports are for investigators, as the API has it. */
export function Share({ search, answer, chart }: ShareProps) {
  const { data: me } = useMe();
  const moment = useMoment();
  const isDark = useComputedColorScheme('light') === 'dark';
  const [ticket, setTicket] = useState<string>();
  const link = useClipboard();
  const file = useMutation({
    mutationFn: async () => download(await askGroupsFile(search, moment), 'groups.csv'),
  });
  const picture = useMutation({
    mutationFn: async ({ window, as_of: { at } }: Answered) => {
      const measure = MEASURES[drawnOf(search)!].label;
      const until = search.to === undefined ? at : window.to;
      const span = `${measure} · ${timeText(window.from, 'UTC')} to ${timeText(until, 'UTC')}`;
      const notes = [span, ...conditionLines(search, safeText)];
      download(await pictureOf(chart!, { title: headWords(search), notes, isDark }), 'explore.png');
    },
  });
  const mayExport = me?.may.investigate === true && answer !== undefined;
  const failure = file.error ?? picture.error;
  return (
    <>
      <Group gap="xs">
        <Button variant="default" onClick={() => link.copy(window.location.href)} disabled={link.copied}>
          {link.copied ? 'Copied' : 'Copy link'}
        </Button>
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button variant="default" loading={file.isPending || picture.isPending}>
              Export
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {me?.may.investigate === false && <Menu.Label>Exports are for investigators.</Menu.Label>}
            <Menu.Item disabled={!mayExport} onClick={() => file.mutate()}>
              All groups as CSV
            </Menu.Item>
            <Menu.Item disabled={!mayExport || chart === undefined} onClick={() => picture.mutate(answer!)}>
              Chart as PNG
            </Menu.Item>
            <Menu.Item
              disabled={!mayExport}
              onClick={() => setTicket(ticketOf({ search, answer: answer!, url: window.location.href }))}
            >
              Markdown for a ticket
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      {failure !== null && <Failed error={failure} />}
      <TicketDialog text={ticket} onClose={() => setTicket(undefined)} />
    </>
  );
}

function TicketDialog({ text, onClose }: { readonly text: string | undefined; readonly onClose: () => void }) {
  const clipboard = useClipboard();
  return (
    <Modal
      opened={text !== undefined}
      onClose={onClose}
      title="Markdown for a ticket"
      size="xl"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="xs">
        <Textarea
          aria-label="Markdown"
          value={text ?? ''}
          readOnly
          autosize
          minRows={8}
          maxRows={20}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            Names stand in code, so that a tracker takes none of them for a link or a mention.
          </Text>
          <Group gap="xs">
            <Button
              variant="default"
              onClick={() => download(new Blob([text ?? ''], { type: 'text/markdown' }), 'explore.md')}
            >
              Download
            </Button>
            <Button onClick={() => clipboard.copy(text ?? '')}>{clipboard.copied ? 'Copied' : 'Copy'}</Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}
