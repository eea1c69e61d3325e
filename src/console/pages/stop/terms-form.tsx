import { Checkbox, Group, Radio, Select, Stack, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { DURATIONS, effectText, isByIdentity, type Duration, type Terms } from '../../display/rule/words.js';
import type { StopSearch } from './search.js';

const route = getRouteApi('/stop');
const UNTIL_LIFTED = '';
const ENDS = [
  { value: UNTIL_LIFTED, label: 'until it is lifted' },
  ...Object.entries(DURATIONS).map(([value, label]) => ({ value, label: `for ${label}` })),
];

/** How the rule stops, and until when; in words below. */
export function TermsForm({ terms, isFixed }: { readonly terms: Terms; readonly isFixed: boolean }) {
  const navigate = route.useNavigate();
  const change = (changed: Pick<StopSearch, 'effect' | 'until' | 'resume'>) =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const { effect, selector, until, resume = false } = terms;
  return (
    <section>
      <Title order={2} mb={4}>
        How
      </Title>
      <Stack gap="xs">
        <Radio.Group
          aria-label="Effect"
          value={effect}
          onChange={(value) => change({ effect: value as Terms['effect'] })}
        >
          <Group gap="md">
            <Radio value="block" label="Block" description="also what is granted later" disabled={isFixed} />
            <Radio
              value="revoke"
              label="Revoke"
              description={isByIdentity(selector) ? 'for ever' : 'what was granted until now'}
              disabled={isFixed}
            />
          </Group>
        </Radio.Group>
        {effect === 'block' && (
          <Group gap="md" align="center">
            <Select
              aria-label="Until"
              data={ENDS}
              value={until ?? UNTIL_LIFTED}
              onChange={(value) => change({ until: value ? (value as Duration) : undefined, resume: undefined })}
              allowDeselect={false}
              disabled={isFixed}
              w={180}
            />
            {until !== undefined && (
              <Checkbox
                size="xs"
                label="What was granted before works again then"
                checked={resume}
                onChange={({ currentTarget }) => change({ resume: currentTarget.checked || undefined })}
                disabled={isFixed}
              />
            )}
          </Group>
        )}
        <Text size="sm" aria-live="polite">
          {effectText(terms)}
        </Text>
      </Stack>
    </section>
  );
}
