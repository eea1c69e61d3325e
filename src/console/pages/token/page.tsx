import { Alert, Anchor, Badge, Code, Group, Stack, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useToken, type Token } from '../../api/token.js';
import { EntityLink } from '../../display/entity-link.js';
import { EvidenceOfEntry } from '../../display/evidence/evidence-button.js';
import { Fact, Facts, Part } from '../../display/facts.js';
import { Lineage } from '../../display/lineage/lineage.js';
import { Moment } from '../../display/moment.js';
import { Name, Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { Failed, Loading } from '../../display/states.js';

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
        <Fact name="entry">
          <Group gap="xs">
            <PageLink to="/entries/$index" params={{ index: token.index }} inherit>
              {token.index}
            </PageLink>
            <EvidenceOfEntry index={token.index} />
          </Group>
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
      <Part title="Where it comes from, and what came from it">
        <Lineage token={token} />
      </Part>
    </Stack>
  );
}

function Good({ token: { would_be_active: isGood } }: { readonly token: Token }) {
  if (isGood === null) return <Badge variant="default">not known</Badge>;
  return (
    <Badge color={isGood ? 'teal.9' : 'red.9'} variant="filled" autoContrast>
      {isGood ? 'good' : 'not good'}
    </Badge>
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
