import { Text } from '@mantine/core';
import { Name } from '../../../display/name.js';
import { Add, Chip } from './chip.js';
import type { BuilderProps } from './builder.js';
import { ConditionForm } from './condition-form.js';
import { DIMENSIONS, type Dimension } from './vocabulary.js';
import {
  conditionsOf,
  conditionWords,
  valuesOfCondition,
  withCondition,
  withoutCondition,
  type Condition,
} from './words.js';

/** The conditions of a question as chips. Each can be changed and taken away. */
export function Filters({
  search: { filter },
  onChange,
  problem,
  mayAsk,
}: BuilderProps & { readonly mayAsk: (dimension: Dimension) => boolean }) {
  const change = (next: typeof filter): void => onChange({ filter: next });
  const conditions = conditionsOf(filter);
  const asked = problem?.field !== undefined && problem.field in DIMENSIONS ? problem.field : undefined;
  return (
    <>
      {conditions.map((condition) => (
        <Chip
          key={`${condition.dimension} ${condition.member}`}
          name={`Filter: ${conditionWords(condition)}`}
          says={<ConditionText of={condition} />}
          problem={asked === condition.dimension ? problem?.says : undefined}
          onRemove={() => change(withoutCondition(filter, condition))}
          renderForm={(close) => (
            <ConditionForm
              before={condition}
              mayAsk={mayAsk}
              onDone={(next) => {
                change(withCondition(withoutCondition(filter, condition), next));
                close();
              }}
            />
          )}
        />
      ))}
      <Add
        label="Filter"
        renderForm={(close) => (
          <ConditionForm
            mayAsk={mayAsk}
            onDone={(next) => {
              change(withCondition(filter, next));
              close();
            }}
          />
        )}
      />
    </>
  );
}

/** Says a condition. Its values are names from outside. */
export function ConditionText({ of }: { readonly of: Condition }) {
  return (
    <Text span inherit truncate>
      {conditionWords(of)}{' '}
      {valuesOfCondition(of).map((value, nth) => (
        <Text key={String(value)} span inherit fw={600}>
          {nth > 0 && ', '}
          <Name>{String(value)}</Name>
        </Text>
      ))}
    </Text>
  );
}
