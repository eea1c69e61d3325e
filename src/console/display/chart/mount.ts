import { useComputedColorScheme, useMantineTheme } from '@mantine/core';
import { init, type EChartsType } from 'echarts/core';
import { useMemo } from 'react';

/** Makes a chart in an element, whose size it follows. */
export function mountChart(element: HTMLElement): { readonly chart: EChartsType; readonly end: () => void } {
  const chart = init(element, null, { renderer: 'canvas' });
  const sized = new ResizeObserver(() => chart.resize());
  sized.observe(element);
  return {
    chart,
    end() {
      sized.disconnect();
      chart.dispose();
    },
  };
}

/** Colours that a chart takes, in the scheme that is shown. */
export function useChartColours() {
  const isDark = useComputedColorScheme('light') === 'dark';
  const { colors } = useMantineTheme();
  return useMemo(
    () => ({
      isDark,
      colors,
      text: colors.gray[isDark ? 5 : 7]!,
      line: isDark ? colors.dark[4]! : colors.gray[3]!,
      ground: isDark ? colors.dark[7]! : '#ffffff',
    }),
    [isDark, colors],
  );
}
