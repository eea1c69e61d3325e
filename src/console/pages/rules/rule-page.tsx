import { Group, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useRuleStream } from '../../api/rule-stream.js';
import { OfNow } from '../../display/past/of-now.js';
import { PageLink } from '../../display/page-link.js';
import { RuleAccount } from '../../display/rule/rule-account.js';

const route = getRouteApi('/rules/$id');

export function RulePage() {
  const { id } = route.useParams();
  const stream = useRuleStream();
  return (
    <>
      <Group gap="xs" mb="sm" align="baseline">
        <Title order={1}>Rule</Title>
        <OfNow />
        <Text size="sm">
          <PageLink to="/rules" inherit>
            All rules
          </PageLink>
        </Text>
      </Group>
      <RuleAccount id={id} stream={stream} />
    </>
  );
}
