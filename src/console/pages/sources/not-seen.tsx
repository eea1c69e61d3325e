import { Accordion, Alert, List, Text } from '@mantine/core';
import { Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import type { Coverage } from './queries.js';

type Code = Coverage['findings'][number]['code'];

/** Sentences for a code that concerns several sources. */
const ABOUT: Readonly<Record<Code, (sources: string) => string>> = {
  'never-heard': (sources) => `${sources} never heard`,
  'silent-for': (sources) => `${sources} silent`,
  gaps: (sources) => `${sources} with gaps`,
  refusals: (sources) => `${sources} with refused events`,
  'tokens-without-lineage': (sources) => `${sources} with tokens of unknown origin`,
  'unattributed-uses': (sources) => `${sources} with uses of unknown tokens`,
  'clock-off': (sources) => `${sources} late, or with a wrong clock`,
  'never-sent': (sources) => `${sources} without some types of event`,
};

const sources = (count: number): string => (count === 1 ? '1 source' : `${countText(count)} sources`);

/** Tells what is not seen, the most serious first: a line a kind, with its sources behind it. */
export function NotSeen({ coverage: { findings, findings_left_out } }: { readonly coverage: Coverage }) {
  const codes = [...new Set(findings.map(({ code }) => code))];
  if (codes.length === 0) return null;
  return (
    <Alert color="yellow" mb="md" title="What is not seen" p="sm">
      <Accordion multiple chevronPosition="left" styles={{ control: { paddingInline: 0 }, label: { paddingBlock: 4 } }}>
        {codes.map((code) => (
          <Accordion.Item key={code} value={code}>
            <Accordion.Control>
              <Text size="sm">{ABOUT[code](sources(findings.filter((one) => one.code === code).length))}</Text>
            </Accordion.Control>
            <Accordion.Panel>
              <List size="sm" spacing={2}>
                {findings.map(
                  (one) =>
                    one.code === code && (
                      <List.Item key={one.source.id}>
                        <Sentence>{one.says}</Sentence>
                      </List.Item>
                    ),
                )}
              </List>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      {findings_left_out > 0 && <Text size="sm">{countText(findings_left_out)} more are not listed.</Text>}
    </Alert>
  );
}
