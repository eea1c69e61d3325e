import { Alert, Code, Loader, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { EVIDENCE_STEPS, type CheckedStep, type EvidenceFile, type EvidenceStep } from '../../../merkle/index.js';
import { DataTable, type Columns } from '../../display/data-table.js';
import { readEvent } from '../../display/events.js';
import { Part } from '../../display/facts.js';
import { Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import type { Verification } from './use-verification.js';
import type { Verdict } from './verify.js';
import classes from '../../display/cells.module.css';

const STEPS = Object.entries(EVIDENCE_STEPS) as [EvidenceStep, string][];

/** Shows the result: the verdict, each step of one line, and the lines of an archive. */
export function Result({ of: { verdicts, state } }: { readonly of: Verification }) {
  const [chosen, setChosen] = useState<number>();
  const wrong = verdicts.find(({ ok }) => !ok);
  const shown = verdicts[(chosen ?? wrong?.line ?? 1) - 1];
  return (
    <Stack gap="md">
      <Conclusion verdicts={verdicts} state={state} wrong={wrong} />
      {shown && (
        <>
          <Part title={verdicts.length > 1 ? `Checks of line ${countText(shown.line)}` : 'Checks'}>
            <Steps of={shown.steps} />
          </Part>
          <Content of={shown} />
        </>
      )}
      {state === 'done' && verdicts.length > 1 && (
        <Part title="Lines" count={verdicts.length}>
          <DataTable
            label="Lines"
            rows={verdicts}
            columns={COLUMNS}
            keyOf={keyOf}
            onOpen={({ line }) => setChosen(line)}
          />
        </Part>
      )}
    </Stack>
  );
}

function Conclusion({ verdicts, state, wrong }: Verification & { readonly wrong: Verdict | undefined }) {
  if (state === 'running')
    return (
      <Text size="sm" role="status">
        <Loader size={12} aria-hidden /> {countText(verdicts.length)} checked
      </Text>
    );
  if (state === 'failed')
    return (
      <Alert color="red" role="alert" title="The file could not be read">
        It changed or went away. Choose it again.
      </Alert>
    );
  if (verdicts.length === 0)
    return (
      <Alert color="red" role="alert" title="The file holds no evidence">
        It is empty.
      </Alert>
    );
  const cosigned = new Set(
    verdicts.flatMap(({ steps }) => steps.find(({ step }) => step === 'witnesses')?.detail ?? []),
  );
  if (wrong === undefined)
    return (
      <Alert
        color="teal"
        role="status"
        title={
          verdicts.length === 1 ? 'The evidence holds.' : `The evidence of ${countText(verdicts.length)} lines holds.`
        }
      >
        The ledger whose key you gave holds what stands below, and cannot take it back unnoticed.
        {cosigned.size === 1 && (
          <>
            {' '}
            Cosignatures: <Sentence>{[...cosigned].join('')}</Sentence>.
          </>
        )}
      </Alert>
    );
  const { what, detail } = wrong.steps.at(-1)!;
  return (
    <Alert color="red" role="alert" title={`Line ${countText(wrong.line)} does not hold. Not so: ${what}.`}>
      <Text inherit style={{ overflowWrap: 'anywhere' }}>
        <Sentence>{detail}</Sentence>
      </Text>
    </Alert>
  );
}

/** Every check, also those that were not reached. */
function Steps({ of: steps }: { readonly of: readonly CheckedStep[] }) {
  return (
    <Table aria-label="Checks" withTableBorder layout="fixed">
      <Table.Tbody>
        {STEPS.map(([step, what]) => (
          <Step key={step} what={what} made={steps.find((one) => one.step === step)} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Step({ what, made }: { readonly what: string; readonly made: CheckedStep | undefined }) {
  return (
    <Table.Tr>
      <Table.Td w={120} className={classes.top}>
        <Mark made={made} />
      </Table.Td>
      <Table.Td>
        <Text size="sm" c={made ? undefined : 'dimmed'}>
          {what}
        </Text>
        {made && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            <Sentence>{made.detail}</Sentence>
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Mark({ made }: { readonly made: CheckedStep | undefined }) {
  if (!made?.checked)
    return (
      <Text size="sm" c="dimmed">
        {made ? 'not checked' : 'not reached'}
      </Text>
    );
  return <Outcome ok={made.ok} />;
}

const Outcome = ({ ok }: { readonly ok: boolean }) => (
  <Text size="sm" fw={600} c={ok ? undefined : 'red'}>
    {ok ? '✓ ok' : '✗ wrong'}
  </Text>
);

/** Shows the event of an entry, once it is known that the log holds the entry. */
function Content({ of: { text, ok } }: { readonly of: Verdict }) {
  if (!ok) return null;
  const { payload } = JSON.parse(text) as EvidenceFile;
  return (
    <Part title="What the entry says">
      {payload === null ? (
        <Text size="sm" c="dimmed">
          The file holds no payload: it was erased, or left out for a reader who may not see it.
        </Text>
      ) : (
        <Code block tabIndex={0}>
          {readEvent(payload).text}
        </Code>
      )}
    </Part>
  );
}

const keyOf = ({ line }: Verdict): string => String(line);

const COLUMNS: Columns<Verdict> = [
  {
    id: 'line',
    header: 'Line',
    cell: ({ row: { original } }) => (
      <button type="button" className={classes.button}>
        {countText(original.line)}
      </button>
    ),
  },
  {
    id: 'entry',
    header: 'Entry',
    cell: ({ row: { original } }) => <Sentence>{entryOf(original)}</Sentence>,
  },
  {
    id: 'result',
    header: 'Result',
    cell: ({ row: { original } }) => <Outcome ok={original.ok} />,
  },
];

const entryOf = ({ steps }: Verdict): string => steps.find(({ step }) => step === 'entry')?.detail ?? '–';
