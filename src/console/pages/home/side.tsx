import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Selector } from '../../api/rules.js';
import { Below } from '../../display/cells.js';
import { Author } from '../../display/author.js';
import { Moment } from '../../display/moment.js';
import { Sentence } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import { PageLink } from '../../display/page-link.js';
import { SelectorWords } from '../../display/rule/selector-words.js';
import { Severity } from '../../display/findings/severity.js';
import { Card } from './card.js';
import { NEWEST, useCoverage, useRules, useStanding, useWorstFindings, WORST } from './queries.js';
import classes from './side.module.css';

export function OpenFindings() {
  const { data, error, refetch } = useWorstFindings();
  return (
    <Card
      title="Open findings"
      lines={WORST + 2}
      error={error}
      onRetry={refetch}
      aside={
        <PageLink to="/findings" search={{ state: ['open'] }}>
          all{data && ` ${countText(data.count)}${data.isMore ? ' and more' : ''}`}
        </PageLink>
      }
    >
      {data && data.worst.length === 0 && <Nothing>No finding is open.</Nothing>}
      {data && data.worst.length > 0 && (
        <Stack gap="xs">
          {data.worst.map(({ id, severity, kind, says }) => (
            <div key={id} className={classes.finding}>
              <Severity of={severity} />
              <div>
                <PageLink to="/findings" search={{ state: ['open'], finding: id }} size="sm" fw={500} c="inherit">
                  {kind}
                </PageLink>
                <Below isClamped>
                  <Sentence>{says}</Sentence>
                </Below>
              </div>
            </div>
          ))}
        </Stack>
      )}
    </Card>
  );
}

export function RulesInForce() {
  const { data, error, refetch } = useRules();
  const { data: standing } = useStanding();
  return (
    <Card
      title="Rules in force"
      isOfNow
      lines={NEWEST + 1}
      error={error}
      onRetry={() => void refetch()}
      aside={
        <PageLink to="/rules" search={{ state: ['live', 'turned-revoke'] }}>
          all{standing && ` ${countText(standing.rules)}`}
        </PageLink>
      }
    >
      {data && data.length === 0 && <Nothing>No rule is in force.</Nothing>}
      {data && data.length > 0 && (
        <Stack gap="xs">
          {data.slice(0, NEWEST).map(({ id, at, effect, selector, in_force, author, reason }) => (
            <div key={id}>
              <div className={classes.rule}>
                <span>
                  <PageLink to="/rules/$id" params={{ id }} inherit fw={500}>
                    {effect}
                  </PageLink>{' '}
                  <SelectorWords selector={selector as Selector} />
                  {!in_force && ' (not everywhere yet)'}
                </span>
                {at !== undefined && (
                  <Below>
                    <Moment at={at} stacked />
                  </Below>
                )}
              </div>
              <Text size="xs" c="dimmed" truncate>
                {reason !== undefined && <Sentence>{reason}</Sentence>}
                {author && (
                  <>
                    , by <Author of={author} />
                  </>
                )}
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Card>
  );
}

const SHOWN_UNSEEN = 6;

export function NotSeen() {
  const { data, error, refetch } = useCoverage();
  const [isWhole, setIsWhole] = useState(false);
  const all = data?.findings ?? [];
  const total = all.length + (data?.findings_left_out ?? 0);
  return (
    <Card
      title="What we do not see"
      lines={SHOWN_UNSEEN}
      error={error}
      onRetry={() => void refetch()}
      aside={data && total > 0 && countText(total)}
    >
      {data && total === 0 && <Nothing>Every source is heard without a gap.</Nothing>}
      {data && total > 0 && (
        <Stack gap={6}>
          {all.slice(0, isWhole ? undefined : SHOWN_UNSEEN).map(({ code, source, says }) => (
            <Group key={`${code} ${source.id}`} gap="xs" wrap="nowrap" align="baseline">
              <Badge size="sm" radius="sm" variant="default" miw="max-content" tt="none">
                {code}
              </Badge>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                <Sentence>{says}</Sentence>
              </Text>
            </Group>
          ))}
          {all.length > SHOWN_UNSEEN && (
            <Button
              size="compact-xs"
              variant="subtle"
              aria-expanded={isWhole}
              onClick={() => setIsWhole((before) => !before)}
              style={{ alignSelf: 'flex-start' }}
            >
              {isWhole ? 'Fewer' : `${countText(total - SHOWN_UNSEEN)} more`}
            </Button>
          )}
        </Stack>
      )}
    </Card>
  );
}

function Nothing({ children }: { readonly children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
