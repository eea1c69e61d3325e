import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import { useState } from 'react';
import { useMe } from '../../api/me.js';
import { problemOf } from '../../api/problem.js';
import { ActsNow } from '../../display/past/of-now.js';
import { countText } from '../../display/numbers.js';
import { SayMore, type Asked } from './say-more.js';
import { useChangeFindings, type Finding, type FindingChange, type Refused } from './queries.js';

type State = Finding['state'];

const ACTS: readonly { readonly to: State; readonly label: string; readonly asks?: Asked }[] = [
  { to: 'acknowledged', label: 'Acknowledge' },
  { to: 'resolved', label: 'Resolve' },
  { to: 'false-alarm', label: 'False alarm…', asks: 'false-alarm' },
  { to: 'muted', label: 'Mute…', asks: 'muted' },
  { to: 'open', label: 'Reopen' },
];

/** Buttons that change the state of findings, for those who may; others read why not. */
export function ChangeState({
  findings,
  onDone,
}: {
  readonly findings: readonly Finding[];
  readonly onDone?: () => void;
}) {
  const { data: me } = useMe();
  const change = useChangeFindings();
  const [asked, setAsked] = useState<Asked>();
  const [isBusy, setIsBusy] = useState(false);
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  const mayChange = me?.may.stop === true;
  const isAll = (state: State): boolean => findings.every((finding) => finding.state === state);
  const say = async (body: FindingChange): Promise<void> => {
    setIsBusy(true);
    const left = await change(findings, body);
    setIsBusy(false);
    setAsked(undefined);
    setRefused(left);
    if (left.length === 0) onDone?.();
  };
  return (
    <>
      <Group gap={6} role="group" aria-label="Change the state">
        {ACTS.map(({ to, label, asks }) => (
          <Button
            key={to}
            variant="default"
            size="compact-sm"
            disabled={!mayChange || isBusy || (asks === undefined && isAll(to))}
            onClick={() => (asks ? setAsked(asks) : void say({ state: to }))}
          >
            {label}
          </Button>
        ))}
      </Group>
      {mayChange && <ActsNow what="A change" />}
      {me !== undefined && !mayChange && (
        <Text size="xs" c="dimmed">
          You may look at findings. Responders and administrators change them.
        </Text>
      )}
      <Refusals of={refused} />
      <SayMore asked={asked} findings={findings} isBusy={isBusy} onSay={say} onClose={() => setAsked(undefined)} />
    </>
  );
}

/** Refusals alike are told once. */
function Refusals({ of }: { readonly of: readonly Refused[] }) {
  if (of.length === 0) return null;
  const counts = new Map<string, number>();
  for (const { finding, error } of of) {
    const { code, title, detail } = problemOf(error);
    const text = `${finding.kind}: ${detail ?? title} (${code})`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return (
    <Alert color="red" role="alert" mt="xs" title={`${countText(of.length)} not changed`}>
      <List size="sm">
        {[...counts].map(([text, count]) => (
          <List.Item key={text}>
            {count > 1 && <Code>{countText(count)} ×</Code>} {text}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
