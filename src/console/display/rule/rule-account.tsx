import { Anchor, Code, Group, Stack, Table, Text } from '@mantine/core';
import { Part } from '../facts.js';
import type { ReactNode } from 'react';
import { problemOf } from '../../api/problem.js';
import { useIncident, useRule, type Rule } from '../../api/rules.js';
import type { RuleStream } from '../../api/rule-stream.js';
import { BeforeLink } from '../past/before-link.js';
import { Moment } from '../moment.js';
import { countText } from '../numbers.js';
import { PageLink } from '../page-link.js';
import { Failed, Loading } from '../states.js';
import { Sentence } from '../name.js';
import { AuthorName } from './author-name.js';
import { LiftForm } from './lift-form.js';
import { Progress } from './progress.js';
import { RuleState } from './rule-state.js';
import { SelectorWords } from './selector-words.js';
import { TriedSince } from './tried-since.js';
import { effectText, endText } from './words.js';

/** Everything about one rule: what it stops, who ordered it and why, who confirmed it, what was tried since, and how it ends. */
export function RuleAccount({ id, stream }: { readonly id: string; readonly stream: RuleStream }) {
  const { data: rule, error, isPending, refetch } = useRule(id);
  if (isPending) return <Loading />;
  if (rule === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return (
    <Stack gap="lg" maw={880}>
      <Stack gap={4}>
        <Group gap="xs">
          <RuleState rule={rule} />
          <Text fw={600}>{rule.effect}</Text>
        </Group>
        <Text style={{ overflowWrap: 'anywhere' }}>
          <SelectorWords selector={rule.selector} or={rule.or} />
        </Text>
        <Text size="sm">{endText(rule) ?? effectText(rule)}</Text>
      </Stack>
      <Facts rule={rule} />
      <Reported rule={rule} stream={stream} />
      {rule.state === 'live' && rule.effect === 'block' && (
        <Part title="Lift">
          <LiftForm rule={rule} />
        </Part>
      )}
    </Stack>
  );
}

function Facts({ rule }: { readonly rule: Rule }) {
  const { id, at, author, reason, origin, until, ended, lift, after_lift_of } = rule;
  return (
    <Table variant="vertical" layout="fixed" withTableBorder aria-label="The rule">
      <Table.Tbody>
        <Row name="Reason">
          <Sentence>{reason}</Sentence>
        </Row>
        <Row name="Ordered">
          <Moment at={at} /> by <AuthorName author={author} /> (<BeforeLink time={at} />)
        </Row>
        {origin !== undefined && (
          <Row name="By an event">
            of <Moment at={origin.at} />
          </Row>
        )}
        {until !== undefined && (
          <Row name="Until">
            <Moment at={until} />
          </Row>
        )}
        {after_lift_of !== undefined && (
          <Row name="After the lift of">
            <RuleLink id={after_lift_of} />
          </Row>
        )}
        {ended !== undefined && (
          <Row name={ended.by === 'lift' ? 'Lifted' : 'Ended'}>
            <Moment at={ended.at} />
            {ended.author !== undefined && (
              <>
                {' '}
                by <AuthorName author={ended.author} />
              </>
            )}
            {ended.entry !== undefined && (
              <>
                {' '}
                by an event,{' '}
                <Anchor href={`/v1/entries/${ended.entry}`} target="_blank" inherit underline="always">
                  entry {ended.entry}
                </Anchor>
              </>
            )}
          </Row>
        )}
        {lift !== undefined && (
          <Row name="Lifted because">
            <Sentence>{lift.reason}</Sentence>
          </Row>
        )}
        {ended?.revoke !== undefined && (
          <Row name="Stays revoked by">
            <RuleLink id={ended.revoke} />
          </Row>
        )}
        <Row name="Rule">
          <Code style={{ overflowWrap: 'anywhere' }}>{id}</Code>
        </Row>
      </Table.Tbody>
    </Table>
  );
}

function Reported({ rule, stream }: { readonly rule: Rule; readonly stream: RuleStream }) {
  const { data: incident, error, isPending } = useIncident(rule.id);
  const isWaiting = isPending || (incident === undefined && problemOf(error).code === 'not-found');
  return (
    <>
      <Part title="In force">
        <Progress rule={rule} stream={stream} incident={incident} />
      </Part>
      <Part title="Since then">
        {incident !== undefined ? (
          <TriedSince incident={incident} />
        ) : isWaiting ? (
          <Text size="sm" c="dimmed">
            The rule is on its way into the ledger.
          </Text>
        ) : (
          <Failed error={error} />
        )}
      </Part>
      {incident !== undefined && (
        <Text size="sm">
          It hit {incident.hit.at_least === true && 'at least '}
          {countText(incident.hit.live_tokens)} live {incident.hit.live_tokens === 1 ? 'token' : 'tokens'} when it was
          ordered.{' '}
          <Anchor href={`/v1/reports/incident?rule=${rule.id}`} target="_blank" inherit underline="always">
            The whole report
          </Anchor>
          {' · '}
          <Anchor href={`/v1/entries/${incident.rule.entry}`} target="_blank" inherit underline="always">
            entry {incident.rule.entry} of the ledger
          </Anchor>
        </Text>
      )}
    </>
  );
}

const RuleLink = ({ id }: { readonly id: string }) => (
  <PageLink to="/rules/$id" params={{ id }} inherit style={{ overflowWrap: 'anywhere' }}>
    {id}
  </PageLink>
);

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w={132}>{name}</Table.Th>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{children}</Table.Td>
    </Table.Tr>
  );
}
