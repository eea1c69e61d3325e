import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { ReasonField } from './reason-field.js';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { useMe } from '../../api/me.js';
import { problemOf } from '../../api/problem.js';
import type { Rule } from '../../api/rules.js';
import { ActsNow } from '../past/of-now.js';
import { Failed, Loading } from '../states.js';
import { MayNotStop, Refusal } from './refusal.js';
import { liftText } from './words.js';

const NOT_CONFIRMED = 'not-confirmed';

/** Lifts a block, after a reason was given and it was read what stays revoked. */
export function LiftForm({ rule }: { readonly rule: Rule }) {
  const { data: me, error, refetch } = useMe();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [resume, setResume] = useState(false);
  const queries = useQueryClient();
  const lift = api.useMutation('post', '/v1/revocations/{id}/lift', { onSettled: () => queries.invalidateQueries() });
  if (me === undefined) return error === null ? <Loading /> : <Failed error={error} reset={() => void refetch()} />;
  if (!me.may.stop) return <MayNotStop what="lift a rule" />;
  if (!isOpen)
    return (
      <Group>
        <Button variant="default" onClick={() => setOpen(true)}>
          Lift…
        </Button>
        <ActsNow what="A lift" />
      </Group>
    );
  const isAgain = lift.error !== null && problemOf(lift.error).code === NOT_CONFIRMED;
  return (
    <form
      aria-label="Lift"
      onSubmit={(event) => {
        event.preventDefault();
        lift.mutate({ params: { path: { id: rule.id } }, body: { reason: reason.trim(), resume } });
      }}
    >
      <Stack gap="xs">
        <ReasonField label="Why it is lifted" value={reason} onChange={setReason} disabled={isAgain} isFirst />
        <Checkbox
          label="What was granted before works again, too"
          checked={resume}
          onChange={({ currentTarget }) => setResume(currentTarget.checked)}
          disabled={isAgain}
        />
        <Text size="sm" aria-live="polite">
          {liftText(resume)}
        </Text>
        <ActsNow what="A lift" />
        {lift.error !== null && <Refusal error={lift.error} />}
        <Group gap="xs">
          <Button type="submit" loading={lift.isPending} disabled={reason.trim() === ''}>
            {isAgain ? 'Ask again' : 'Lift it'}
          </Button>
          <Button variant="default" onClick={() => setOpen(false)} disabled={lift.isPending}>
            Leave it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
