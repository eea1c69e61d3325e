import { ActionIcon, Group, SegmentedControl, Slider, Text } from '@mantine/core';
import { useReducedMotion } from '@mantine/hooks';
import { useIsFetching } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { msOf, timeOf, type MomentSearch } from '../../api/moment.js';
import { timeText } from '../../display/times.js';
import { useGo } from './use-go.js';
import { DAY_MS, HOUR_MS, stepFrom, weekOf } from './week.js';

/** A moment stays so long, at least, after its answers have come. */
const TICK_MS = 700;
const STEPS = [
  { value: 'hour', label: 'hour', ms: HOUR_MS },
  { value: 'day', label: 'day', ms: DAY_MS },
] as const;

interface WeekSliderProps {
  readonly at: string;
  /** Called when the slider arrives at now. */
  readonly onNow: (moments: MomentSearch) => void;
}

/** Moves the moment within its week: by hand, by steps, or by itself until now. */
export function WeekSlider({ at, onNow }: WeekSliderProps) {
  const go = useGo();
  const [step, setStep] = useState<(typeof STEPS)[number]>(STEPS[0]);
  const [isPlaying, setPlaying] = useState(false);
  const [dragged, setDragged] = useState<number>();
  const isStill = useReducedMotion();
  const isAsking = useIsFetching() > 0;
  const [openedMs] = useState(() => Date.now());
  const atMs = msOf(at, 0);
  const { from, to } = weekOf(atMs, openedMs);
  const show = (ms: number | undefined): void => {
    setDragged(undefined);
    if (ms === undefined || ms >= Date.now()) onNow({ at: undefined });
    else go({ at: timeOf(ms) }, { replace: true });
  };
  const move = (byMs: number): void => show(stepFrom(atMs, byMs, Date.now()));
  useEffect(() => {
    if (!isPlaying || isStill || isAsking) return undefined;
    const timer = window.setTimeout(() => move(step.ms), TICK_MS);
    return () => window.clearTimeout(timer);
  });
  return (
    <Group gap="xs" mt={6} wrap="nowrap">
      <ActionIcon aria-label={`One ${step.label} back`} onClick={() => move(-step.ms)}>
        ◂
      </ActionIcon>
      {!isStill && (
        <ActionIcon aria-label={isPlaying ? 'Pause' : 'Play'} onClick={() => setPlaying((before) => !before)}>
          {isPlaying ? '⏸' : '▶'}
        </ActionIcon>
      )}
      <ActionIcon aria-label={`One ${step.label} on`} onClick={() => move(step.ms)}>
        ▸
      </ActionIcon>
      <Slider
        flex={1}
        miw={80}
        size="sm"
        min={from}
        max={to}
        step={step.ms}
        value={dragged ?? atMs}
        onChange={(ms) => {
          setPlaying(false);
          setDragged(ms);
        }}
        onChangeEnd={show}
        label={(ms) => timeText(timeOf(ms))}
        thumbLabel="Moment in the week"
        thumbValueText={timeText(at)}
      />
      <SegmentedControl
        aria-label="Step"
        size="xs"
        data={STEPS.map(({ value, label }) => ({ value, label }))}
        value={step.value}
        onChange={(chosen) => setStep(STEPS.find(({ value }) => value === chosen)!)}
      />
      {isStill && (
        <Text size="xs" c="dimmed" visibleFrom="md">
          Your system asks for little motion: go by steps.
        </Text>
      )}
    </Group>
  );
}
