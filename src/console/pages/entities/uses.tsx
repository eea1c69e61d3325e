import { Button, Group, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { msOf, useMoments } from '../../api/moment.js';
import { TimeBars } from '../../display/chart/time-bars.js';
import { Part } from '../../display/facts.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import type { Kind } from './kinds.js';
import { useCounts } from './queries.js';
import type { EntitySearch } from './search.js';

const DAY_MS = 86_400_000;
/** Days that are drawn, and those that are drawn by the hour. */
const MAX_DAYS = 90;
const HOURLY_DAYS = 14;

const SPANS = [
  { label: '24 hours', from: '1d' },
  { label: '7 days', from: '7d' },
  { label: 'All', from: undefined },
];

/** Uses over time. Whoever draws a span chooses what the timeline shows. */
export function Uses({ kind, id, since }: { readonly kind: Kind; readonly id: string; readonly since: string }) {
  const { from, to } = useSearch({ strict: false }) as EntitySearch;
  const navigate = useNavigate();
  const choose = (span: { from: string | undefined; to: string | undefined }): void =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, ...span }), replace: true, resetScroll: false });
  const beside = (
    <Group gap={4}>
      {SPANS.map((span) => (
        <Button
          key={span.label}
          size="compact-xs"
          variant={span.from === from && to === undefined ? 'filled' : 'default'}
          aria-pressed={span.from === from && to === undefined}
          onClick={() => choose({ from: span.from, to: undefined })}
        >
          {span.label}
        </Button>
      ))}
    </Group>
  );
  return (
    <Part title="Uses" beside={beside}>
      <Drawn kind={kind} id={id} since={since} from={from} to={to} onChoose={choose} />
    </Part>
  );
}

interface DrawnProps {
  readonly kind: Kind;
  readonly id: string;
  readonly since: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly onChoose: (span: { from: string; to: string }) => void;
}

function Drawn({ kind, id, since, from, to, onChoose }: DrawnProps) {
  const moments = useMoments();
  const atMs = moments.at === undefined ? undefined : msOf(moments.at, 0);
  const [openedMs] = useState(() => Date.now());
  const days = Math.min(MAX_DAYS, Math.max(1, Math.ceil(((atMs ?? openedMs) - Date.parse(since)) / DAY_MS)));
  const by = days <= HOURLY_DAYS ? 'hour' : 'day';
  const { data, error, isPending, refetch } = useCounts(kind, id, by, `${days}d`);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  const { bars, total } = data;
  return (
    <>
      <Text size="sm" c="dimmed">
        {total.at_least && 'at least '}
        {countText(total.allowed)} allowed and {countText(total.denied)} denied in the{' '}
        {atMs === undefined ? `last ${countText(days)} days` : `${countText(days)} days before`}, by the {by}
      </Text>
      {bars.length > 0 && (
        <TimeBars
          label={`Uses by the ${by}`}
          unitMs={by === 'hour' ? DAY_MS / 24 : DAY_MS}
          bars={bars}
          atMs={atMs}
          from={from}
          to={to}
          onChoose={onChoose}
        />
      )}
    </>
  );
}
