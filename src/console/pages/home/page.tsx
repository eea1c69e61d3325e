import { Grid, Stack, Title } from '@mantine/core';
import { useLive } from '../../api/live.js';
import { Later } from '../../display/later.js';
import { Now } from './now.js';
import { Service } from './service.js';
import { NotSeen, OpenFindings, RulesInForce } from './side.js';
import { WhatsNew } from './whats-new.js';

export function HomePage() {
  const isLive = useLive();
  return (
    <Stack gap="sm">
      <Title order={1}>Home</Title>
      <Now />
      <Grid gap="sm">
        <Grid.Col span={{ base: 12, md: 5 }} order={{ base: 1, md: 2 }}>
          <Stack gap="sm">
            <OpenFindings />
            <Later>
              <RulesInForce />
              <NotSeen />
              <Service isLive={isLive} />
            </Later>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 7 }} order={{ base: 2, md: 1 }}>
          <WhatsNew />
        </Grid.Col>
      </Grid>
    </Stack>
  );
}
