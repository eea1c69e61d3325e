import { Button, Group, Paper, Text } from '@mantine/core';
import { useMoments } from '../../api/moment.js';
import { Moment } from '../../display/moment.js';
import { focusTimeControl } from './time-control.js';
import { NOW, useGo } from './use-go.js';
import { WeekSlider } from './week-slider.js';

/** Says that the page shows the past or a difference, and leads back. It stays in sight. */
export function TimeBar() {
  const { at, against } = useMoments();
  const go = useGo();
  if (at === undefined && against === undefined) return null;
  const leave = (moments = NOW): void => {
    go(moments);
    focusTimeControl();
  };
  return (
    <Paper
      component="section"
      aria-label="Time that is shown"
      withBorder
      p="xs"
      mb="sm"
      pos="sticky"
      top="calc(var(--app-shell-header-offset) + 4px)"
      style={{ zIndex: 50, borderInlineStart: '4px solid var(--mantine-color-orange-6)' }}
    >
      <Group justify="space-between" gap="xs">
        <Text size="sm" component="div">
          {at === undefined ? (
            'You see now'
          ) : (
            <>
              You see{' '}
              <Text span inherit fw={600}>
                <Moment at={at} />
              </Text>
              , not now
            </>
          )}
          {against !== undefined && (
            <>
              , and what changed since{' '}
              <Text span inherit fw={600}>
                <Moment at={against} />
              </Text>
            </>
          )}
          .
        </Text>
        <Group gap={6}>
          {against !== undefined && at !== undefined && (
            <Button variant="default" size="compact-xs" onClick={() => go({ against: undefined })}>
              Do not compare
            </Button>
          )}
          <Button size="compact-xs" onClick={() => leave()}>
            {at === undefined ? 'Do not compare' : 'Back to now'}
          </Button>
        </Group>
      </Group>
      {at !== undefined && <WeekSlider at={at} onNow={leave} />}
    </Paper>
  );
}
