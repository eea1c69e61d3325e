import { Alert, Anchor, Badge, Code, Group, Stack, Text, Timeline, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { EntityLink } from '../../display/entity-link.js';
import { Fact, Facts, Part } from '../../display/facts.js';
import { Moment } from '../../display/moment.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { Failed, Loading } from '../../display/states.js';
import { useToken, type Token } from './queries.js';

const route = getRouteApi('/tokens/$id');

export function TokenPage() {
  const { id } = route.useParams();
  const { data, error, isPending, refetch } = useToken(id);
  if (isPending) return <Loading />;
  if (data === undefined)
    return (
      <Stack>
        <Title order={1}>Token</Title>
        <Failed error={error} reset={() => void refetch()} />
      </Stack>
    );
  return <Shown token={data} />;
}

function Shown({ token }: { readonly token: Token }) {
  const { facts, user, client, agent, accesses, because, stopped_by: stoppedBy } = token;
  return (
    <Stack gap="md">
      <Group gap="xs">
        <Title order={1}>Token</Title>
        <Code>{token.id}</Code>
        <Good token={token} />
      </Group>
      {because.length > 0 && (
        <Alert color="yellow" title="Why it is not good">
          {because.map(({ reason, says }) => (
            <Text size="sm" key={reason}>
              <Sentence>{says}</Sentence>
            </Text>
          ))}
        </Alert>
      )}
      {token.conflict !== null && (
        <Alert color="red" title="Its events contradict one another">
          <Sentence>{token.conflict}</Sentence>
        </Alert>
      )}
      <Facts>
        {user && (
          <Fact name="user">
            <EntityLink entity={{ kind: 'user', is: user }} />
          </Fact>
        )}
        <Fact name="client">
          <EntityLink entity={{ kind: 'client', is: client }} />
        </Fact>
        {agent && (
          <Fact name="agent">
            <EntityLink entity={{ kind: 'agent', is: agent }} />
          </Fact>
        )}
        <Fact name="for">
          <Names of={[facts['aud'], facts['resource']].flat()} />
        </Fact>
        <Fact name="scopes">
          <Names of={String(facts['scope'] ?? '').split(' ')} />
        </Fact>
        <Fact name="issued">
          <Epoch at={facts['iat']} />
        </Fact>
        <Fact name="expires">
          <Epoch at={facts['exp']} />
        </Fact>
        <Fact name="used">
          {accesses.count === 0 || accesses.last === null ? (
            'never'
          ) : (
            <>
              {countText(accesses.count)} times, {countText(accesses.denied)} refused, last{' '}
              <Moment at={accesses.last} />
            </>
          )}
        </Fact>
        {stoppedBy.length > 0 && (
          <Fact name="stopped by">
            <Stack gap={2}>
              {stoppedBy.map(({ rule }) => (
                <Anchor key={rule} href={`/console/rules/${rule}`} inherit>
                  rule {rule}
                </Anchor>
              ))}
            </Stack>
          </Fact>
        )}
      </Facts>
      <Part title="Where it comes from">
        <Lineage token={token} />
      </Part>
    </Stack>
  );
}

function Good({ token: { would_be_active: isGood } }: { readonly token: Token }) {
  if (isGood === null) return <Badge variant="default">not known</Badge>;
  return (
    <Badge color={isGood ? 'green.9' : 'red.9'} variant="filled" autoContrast>
      {isGood ? 'good' : 'not good'}
    </Badge>
  );
}

/** The steps from the sign-in to the token, the oldest first. */
function Lineage({ token: { facts, index, source, lineage } }: { readonly token: Token }) {
  const { id_jags: idJags, tokens, missing, broken } = lineage;
  const steps = [
    ...idJags.toReversed().map((one) => ({ ...one, what: 'ID-JAG' })),
    ...tokens.toReversed().map((one) => ({ ...one, what: 'token' })),
    { id: 'this', facts, index, source, what: 'this token' },
  ];
  const sid = idJags.at(-1)?.facts['sid'];
  return (
    <>
      <Timeline active={steps.length} bulletSize={14} lineWidth={2}>
        {typeof sid === 'string' && (
          <Timeline.Item title="sign-in">
            <Text size="xs" c="dimmed" component="div">
              session <Name>{sid}</Name>
            </Text>
          </Timeline.Item>
        )}
        {steps.map(({ id, facts: said, index: at, source: by, what }) => (
          <Timeline.Item key={id} title={what}>
            <Text size="xs" c="dimmed" component="div">
              <Epoch at={said['iat']} />, said by <Name>{by.name ?? 'Rescind'}</Name> in{' '}
              <Anchor href={`/v1/entries/${at}`} target="_blank" inherit underline="always">
                entry {at}
              </Anchor>
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
      {missing.length > 0 && (
        <Text size="sm" mt="xs">
          {countText(missing.length)} of its steps were never told by their source.
        </Text>
      )}
      {broken && (
        <Text size="sm" mt="xs">
          The steps do not fit together.
        </Text>
      )}
    </>
  );
}

/** A time that events give in seconds. */
const Epoch = ({ at }: { readonly at: unknown }) =>
  typeof at === 'number' ? <Moment at={new Date(at * 1_000).toISOString()} /> : <>not stated</>;

function Names({ of }: { readonly of: readonly unknown[] }) {
  const names = [...new Set(of.filter((one): one is string => typeof one === 'string' && one !== ''))];
  if (names.length === 0) return <>none</>;
  return (
    <Group gap="xs">
      {names.map((name) => (
        <Name key={name}>{name}</Name>
      ))}
    </Group>
  );
}
