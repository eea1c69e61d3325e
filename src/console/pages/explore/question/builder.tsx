import { Group, MultiSelect, Paper, Select, Stack } from '@mantine/core';
import { useMe } from '../../../api/me.js';
import type { ExploreSearch } from './search.js';
import { Bounds } from './bounds.js';
import { Filters } from './filters.js';
import { limitOf } from './question.js';
import type { FieldProblem } from './problems.js';
import {
  DIMENSION_NAMES,
  DIMENSIONS,
  MAX_GROUPS,
  MEASURE_NAMES,
  MEASURES,
  type Dimension,
  type Measure,
} from './vocabulary.js';
import { CompareField, WindowField } from './window-fields.js';

const LIMITS = ['10', '20', '50', '100', '1000'];

export interface BuilderProps {
  readonly search: ExploreSearch;
  readonly onChange: (change: ExploreSearch) => void;
  readonly problem: FieldProblem | undefined;
}

/** Builds a question. Every change of it goes to the URL, and is asked at once. */
export function Builder(props: BuilderProps) {
  const { search, onChange, problem } = props;
  const { data: me } = useMe();
  const mayAsk = ({ ofPayloads }: { readonly ofPayloads?: true }): boolean =>
    ofPayloads === undefined || me?.may.investigate === true;
  const saysOf = (field: FieldProblem['field']) => (problem?.field === field ? problem?.says : undefined);
  const { measures = ['calls'], by = [], chart, order } = search;
  const keep = (names: readonly string[]) => ({
    ...(order !== undefined && !names.includes(order[0]!.by) ? { order: undefined } : {}),
    ...(chart !== undefined && !names.includes(chart) ? { chart: undefined } : {}),
  });
  return (
    <Paper withBorder p="xs" component="section" aria-label="The question">
      <Stack gap="xs">
        <Group gap="xs" align="flex-start">
          <MultiSelect
            label="Measures"
            data={MEASURE_NAMES.filter((name) => mayAsk(MEASURES[name])).map((value) => ({
              value,
              label: MEASURES[value].label,
            }))}
            value={measures}
            onChange={(names: Measure[]) =>
              names.length > 0 && onChange({ measures: names, ...keep([...names, ...by]) })
            }
            error={saysOf('measures')}
            flex="1 1 220px"
            hidePickedOptions
          />
          <MultiSelect
            label="Grouped by"
            placeholder={by.length === 0 ? 'Nothing: one sum' : ''}
            data={DIMENSION_NAMES.filter((name) => mayAsk(DIMENSIONS[name])).map((value) => ({
              value,
              label: DIMENSIONS[value].label,
            }))}
            value={by}
            onChange={(names: Dimension[]) =>
              onChange({ measures, by: names.length === 0 ? undefined : names, ...keep([...measures, ...names]) })
            }
            maxValues={MAX_GROUPS}
            error={saysOf('by')}
            searchable
            hidePickedOptions
            flex="1 1 260px"
          />
          <WindowField {...props} />
          <CompareField {...props} />
          <Select
            label="Groups"
            data={[...new Set([...LIMITS, String(limitOf(search))])].toSorted(
              (one, other) => Number(one) - Number(other),
            )}
            value={String(limitOf(search))}
            onChange={(limit) => onChange({ measures, limit: Number(limit) })}
            error={saysOf('limit') ?? saysOf('order')}
            allowDeselect={false}
            w={84}
          />
        </Group>
        <Group gap="xs" align="flex-start">
          <Filters {...props} mayAsk={(name) => mayAsk(DIMENSIONS[name])} />
          <Bounds {...props} />
        </Group>
      </Stack>
    </Paper>
  );
}
