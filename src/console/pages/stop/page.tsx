import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { Part } from '../../display/facts.js';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useRuleStream } from '../../api/rule-stream.js';
import type { Selector } from '../../api/rules.js';
import { ActsNow, OfNow } from '../../display/past/of-now.js';
import { PageLink } from '../../display/page-link.js';
import { RuleAccount } from '../../display/rule/rule-account.js';
import { Refusal } from '../../display/rule/refusal.js';
import { SelectorWords } from '../../display/rule/selector-words.js';
import { defaultEffect, type Terms } from '../../display/rule/words.js';
import { Later } from '../../display/later.js';
import { Hits } from './hits.js';
import { useOrder } from './order.js';
import { OrderForm } from './order-form.js';
import { Picker } from './picker.js';
import { selectorOf, type StopSearch } from './search.js';
import { TermsForm } from './terms-form.js';

const route = getRouteApi('/stop');
const MAX_MEMBERS = 4;

export function StopPage() {
  const search = route.useSearch();
  const selector = selectorOf(search);
  const isChosen = Object.keys(selector).length > 0;
  return (
    <Stack gap="lg" maw={880}>
      <div>
        <Title order={1}>Stop</Title>
        <ActsNow what="An order" />
      </div>
      {search.rule === undefined && <Chosen selector={selector} />}
      {isChosen && <Ordering key={JSON.stringify(selector)} search={search} selector={selector} />}
    </Stack>
  );
}

function Chosen({ selector }: { readonly selector: Selector }) {
  const navigate = route.useNavigate();
  const members = Object.keys(selector) as (keyof Selector)[];
  const drop = (member: keyof Selector) => navigate({ search: (before) => ({ ...before, [member]: undefined }) });
  return (
    <Part title="Who or what">
      <Stack gap="xs">
        {members.map((member) => (
          <Group key={member} gap="xs" wrap="nowrap" align="baseline">
            <Text style={{ overflowWrap: 'anywhere' }}>
              <SelectorWords selector={{ [member]: selector[member] } as Selector} />
            </Text>
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => void drop(member)}
              aria-label={`Leave out the ${member}`}
              style={{ flexShrink: 0 }}
            >
              Leave out
            </Button>
          </Group>
        ))}
        {members.length > 1 && <Text size="sm">Only what fits all of these is stopped.</Text>}
        {members.length === 0 && <Text size="sm">Choose whom or what the rule stops.</Text>}
        {members.length < MAX_MEMBERS && selector.all !== true && (
          <More isOpen={members.length === 0}>
            <Picker onChoose={(chosen) => void navigate({ search: (before) => ({ ...before, ...chosen }) })} />
          </More>
        )}
      </Stack>
    </Part>
  );
}

/** Further members make a rule narrower, which few want: they wait behind a line. */
function More({ isOpen, children }: { readonly isOpen: boolean; readonly children: ReactNode }) {
  if (isOpen) return <Stack gap="xs">{children}</Stack>;
  return (
    <details>
      <Text component="summary" size="sm">
        Stop less: only together with…
      </Text>
      <Stack gap="xs" mt="xs">
        <Later>{children}</Later>
      </Stack>
    </details>
  );
}

function Ordering({ search, selector }: { readonly search: StopSearch; readonly selector: Selector }) {
  const stream = useRuleStream();
  const order = useOrder();
  const { until, resume, rule } = search;
  const effect = search.effect ?? defaultEffect(selector);
  const terms: Terms = {
    selector,
    effect,
    ...(effect === 'block' ? { ...(until && { until }), ...(until && resume && { resume }) } : {}),
  };
  if (rule !== undefined)
    return (
      <>
        {order.error !== null && !order.isPending && (
          <Stack gap="xs" align="flex-start">
            <Refusal error={order.error} stored={rule} />
            {order.isSent && <Button onClick={() => order.send({ ...terms, reason: '' })}>Ask again</Button>}
          </Stack>
        )}
        <RuleAccount id={rule} stream={stream} />
        <Text size="sm">
          <PageLink to="/stop" search={{}} inherit>
            Stop something else
          </PageLink>
          {' · '}
          <PageLink to="/rules" inherit>
            All rules
          </PageLink>
        </Text>
      </>
    );
  return (
    <>
      <TermsForm terms={terms} isFixed={order.isSent} />
      <Part title="What it hits now" beside={<OfNow />}>
        <Hits terms={terms} />
      </Part>
      <Part title="Order">
        {!stream.isOpen && (
          <Alert color="yellow" mb="xs" title="Confirmations cannot be heard live">
            The page asks once a second instead how far an order has come.
          </Alert>
        )}
        <OrderForm terms={terms} first={search.reason ?? ''} order={order} />
      </Part>
    </>
  );
}
