import { Button, Group, useComputedColorScheme } from '@mantine/core';
import { useLayoutEffect, useRef } from 'react';
import { countText } from '../../display/numbers.js';
import { paintCell, PALETTES } from './paint.js';
import { STATES, type State } from './search.js';
import { STATE_WORDS } from './words.js';

const SAMPLE_PX = 16;

interface LegendProps {
  readonly counts: Readonly<Record<State, number>>;
  readonly chosen: readonly State[];
  readonly onChange: (chosen: State[]) => void;
}

/** Explains the forms, counts the cells of each, and chooses which are shown. */
export function Legend({ counts, chosen, onChange }: LegendProps) {
  return (
    <Group gap={4} role="group" aria-label="States">
      {STATES.map((state) => {
        const isChosen = chosen.includes(state);
        return (
          <Button
            key={state}
            size="compact-xs"
            variant={isChosen ? 'light' : 'subtle'}
            color={isChosen ? undefined : 'gray'}
            c="var(--mantine-color-text)"
            fw={isChosen ? 700 : 400}
            aria-pressed={isChosen}
            leftSection={<Sample state={state} />}
            onClick={() => onChange(isChosen ? chosen.filter((one) => one !== state) : [...chosen, state])}
          >
            {STATE_WORDS[state]} {countText(counts[state])}
          </Button>
        );
      })}
      <Group gap={6} fz="xs" wrap="nowrap" pl={8}>
        <Sample state="used" isPartlyDenied /> some calls denied
      </Group>
    </Group>
  );
}

function Sample({ state, isPartlyDenied = false }: { readonly state: State; readonly isPartlyDenied?: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  useLayoutEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    const ratio = window.devicePixelRatio;
    canvas.current!.width = SAMPLE_PX * ratio;
    canvas.current!.height = SAMPLE_PX * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintCell(context, 0, 0, SAMPLE_PX, state, isPartlyDenied, PALETTES[scheme]);
  }, [state, isPartlyDenied, scheme]);
  return <canvas ref={canvas} aria-hidden style={{ width: SAMPLE_PX, height: SAMPLE_PX }} />;
}
