import { Alert, Button, Center, Code, Paper, Stack, Text, Title } from '@mantine/core';
import { useWindowEvent } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf, type Problem } from '../../api/problem.js';
import { signInByLink, signInUrl } from '../../api/sign-in.js';

const route = getRouteApi('/welcome');

/** What went wrong at the sign-in, by the code in the URL. */
const PROBLEMS: Readonly<Record<string, string>> = {
  forbidden: 'Your account has no role in Rescind. Ask your administrator for one.',
  'sign-in-failed': 'The sign-in did not end well, or took too long. Begin it again.',
  'sign-in-unavailable': 'Your identity provider cannot be reached now. An administrator can get in with a link.',
  'not-found': 'No identity provider is set up for people. An administrator can get in with a link.',
};

/** Reads the code of a link once, and takes it out of the address so that nobody copies it. */
function takeCode(): string | undefined {
  const code = window.location.hash.slice(1);
  if (code === '') return undefined;
  window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  return code;
}

export function WelcomePage() {
  const { problem, return_to: returnTo } = route.useSearch();
  const [code, setCode] = useState(takeCode);
  // Somebody may paste a link into the tab that is open.
  useWindowEvent('hashchange', () => setCode((before) => takeCode() ?? before));
  return (
    <Center mih="100dvh" p="md" component="main" id="main">
      <Paper withBorder p="xl" w="100%" maw={420}>
        <Stack gap="md">
          <div>
            <Title order={1}>Rescind</Title>
            <Text size="sm" c="dimmed">
              See and stop what applications and AI agents may do for your users.
            </Text>
          </div>
          {problem !== undefined && (
            <Alert color="red" role="alert">
              {PROBLEMS[problem] ?? 'The sign-in did not end well. Begin it again.'}
            </Alert>
          )}
          {code === undefined ? (
            <>
              <Button component="a" href={signInUrl({ returnTo })} size="md" data-autofocus>
                Sign in
              </Button>
              <Text size="xs" c="dimmed">
                Without an identity provider: <Code>rescind sign-in</Code> makes a link for an administrator.
              </Text>
            </>
          ) : (
            <ByLink key={code} code={code} />
          )}
        </Stack>
      </Paper>
    </Center>
  );
}

function ByLink({ code }: { readonly code: string }) {
  const [state, setState] = useState<'asked' | 'busy' | Problem>('asked');
  async function use(): Promise<void> {
    setState('busy');
    try {
      await signInByLink(code);
      window.location.assign('/console/');
    } catch (error) {
      setState(problemOf(error));
    }
  }
  if (typeof state === 'object')
    return (
      <Alert color="red" role="alert" title="The link does not open the console">
        {state.detail ?? state.title} <Code>rescind sign-in</Code> makes another.
      </Alert>
    );
  return (
    <Button size="md" loading={state === 'busy'} onClick={() => void use()} data-autofocus>
      Open the console as the administrator
    </Button>
  );
}
