import { Group, Kbd, Loader, Text, UnstyledButton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useMoments } from '../api/moment.js';
import { Moment } from '../display/moment.js';
import { Failed } from '../display/states.js';
import { Name } from '../display/name.js';
import { readAsked, type Asked } from './pasted.js';
import { useFound, type Found } from './queries.js';
import classes from './search.module.css';

/** Milliseconds without a key after which the service is asked. */
const PAUSE_MS = 150;

/** The search box. Ctrl-K opens it from anywhere. */
export function Search() {
  const [query, setQuery] = useState('');
  return (
    <>
      <UnstyledButton className={classes.box} onClick={spotlight.open} aria-label="Search">
        <Text span size="sm" c="dimmed" inherit={false}>
          Search
        </Text>
        <Kbd size="xs" visibleFrom="sm">
          Ctrl K
        </Kbd>
      </UnstyledButton>
      <Spotlight.Root
        query={query}
        onQueryChange={setQuery}
        shortcut="mod + K"
        scrollable
        maxHeight="min(70dvh, 480px)"
        onSpotlightClose={() => setQuery('')}
      >
        <Spotlight.Search placeholder="A name, an id, or a token: it stays in this page" aria-label="Search" />
        <Spotlight.ActionsList>
          <Results query={query} />
        </Spotlight.ActionsList>
      </Spotlight.Root>
    </>
  );
}

function Results({ query }: { readonly query: string }) {
  const asked = useAsked(query);
  const { data, error, isFetching } = useFound(asked);
  const { at } = useMoments();
  if (asked === undefined) return <Hint>Users, clients, agents, resources, tokens, rules, sources, addresses.</Hint>;
  if (asked.by === 'nothing') return <Hint>{asked.says}</Hint>;
  if (error !== null) return <Failed error={error} />;
  if (data === undefined)
    return (
      <Spotlight.Empty>
        <Loader size="sm" aria-label="Searching" />
      </Spotlight.Empty>
    );
  return (
    <>
      {asked.by !== 'text' && <Hint>{HOW[asked.by]}</Hint>}
      {at !== undefined && (
        <Hint>
          As of <Moment at={at} />, not now.
        </Hint>
      )}
      {data.items.length === 0 && !isFetching && <Spotlight.Empty>Nothing is found.</Spotlight.Empty>}
      {data.items.map((found) => (
        <Choice key={`${found.kind} ${found.id}`} found={found} />
      ))}
    </>
  );
}

const HOW = {
  identity: 'A token. It was asked for by the issuer and id that it states, and stays in this page.',
  digest: 'This looks like a token. It was asked for by its SHA-256, and stays in this page.',
} as const;

const Hint = ({ children }: { readonly children: ReactNode }) => (
  <Text size="xs" c="dimmed" px="sm" py={6}>
    {children}
  </Text>
);

function Choice({ found }: { readonly found: Found }) {
  const router = useRouter();
  const { kind, id, name, display_name: displayName, iss, see } = found;
  const choose = (): void => {
    const path = pageOf(found);
    if (path !== undefined && path.route in router.routesByPath) void router.navigate({ to: path.to });
    else window.open(see, '_blank', 'noopener');
  };
  return (
    <Spotlight.Action onClick={choose} py={6}>
      <Group gap="xs" wrap="nowrap" w="100%" justify="space-between">
        <Text size="sm" component="div">
          <Text span inherit c="dimmed" size="xs">
            {kind.replace('_', ' ')}{' '}
          </Text>
          <Name>{displayName ?? (name === '' ? id : name)}</Name>
        </Text>
        {iss !== null && (
          <Text size="xs" c="dimmed" truncate component="div">
            <Name>{iss}</Name>
          </Text>
        )}
      </Group>
    </Spotlight.Action>
  );
}

/** The page of the console that shows what was found; undefined if none does. */
function pageOf({ kind, id }: Found): { readonly route: string; readonly to: string } | undefined {
  switch (kind) {
    case 'user':
    case 'client':
    case 'agent':
    case 'resource':
      return { route: `/${kind}s/$entity`, to: `/${kind}s/${id}` };
    case 'token':
      return { route: '/tokens/$id', to: `/tokens/${id}` };
    case 'rule':
      return { route: '/rules/$id', to: `/rules/${id}` };
    default:
      return undefined;
  }
}

/** Decides what to ask when nobody has typed for a moment. What was typed is forgotten with the answer. */
function useAsked(query: string): Asked | undefined {
  const [text] = useDebouncedValue(query.trim(), PAUSE_MS);
  const { data } = useQuery({
    queryKey: ['asked', text],
    queryFn: () => readAsked(text),
    enabled: text !== '',
    gcTime: 0,
  });
  return text === '' ? undefined : data;
}
