import { Alert, Button, Code, Stack, Text } from '@mantine/core';
import { problemOf } from '../../api/problem.js';
import { BEHIND } from '../../api/readiness.js';
import { signInUrl } from '../../api/sign-in.js';
import { PageLink } from '../page-link.js';

const FORBIDDEN = 403;

interface RefusalProps {
  readonly error: unknown;
  /** Path that a new sign-in leads to. */
  readonly returnTo?: string;
  /** The rule, if it is known to be stored: what failed then is the wait for it. */
  readonly stored?: string;
}

/** A refusal of an order or a lift, said for what it is. */
export function Refusal({ error, returnTo, stored }: RefusalProps) {
  const problem = problemOf(error);
  const { code, title, detail, status } = problem;
  const isUnknown = status === 0 || status >= 500;
  if (code === 'not-confirmed' || (isUnknown && stored !== undefined))
    return <NotConfirmed rule={stored ?? (problem as { readonly id?: string }).id} code={code} />;
  if (code === 'sign-in-again')
    return (
      <Alert color="yellow" role="alert" title="Sign in again, and order it then">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{sentence(detail ?? title)} This page comes back with what you entered.</Text>
          <Button component="a" href={signInUrl({ anew: true, ...(returnTo === undefined ? {} : { returnTo }) })}>
            Sign in again
          </Button>
        </Stack>
      </Alert>
    );
  if (code === BEHIND)
    return (
      <Alert color="red" role="alert" title="Not ordered">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">
            Nothing was stored and nothing is stopped: this process has the wrong database. Order it at another process
            of this deployment, or here when an operator has restored the database.
          </Text>
          <Code>{code}</Code>
        </Stack>
      </Alert>
    );
  return (
    <Alert
      color="red"
      role="alert"
      title={isUnknown ? 'It is not known whether this was done' : titleOf(status, title)}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {sentence(detail ?? title)}
          {isUnknown && ' Ask again: the same request orders nothing twice.'}
          {status === FORBIDDEN && ' Nothing was changed. Somebody with the role responder or admin can do it.'}
        </Text>
        <Code>{code}</Code>
      </Stack>
    </Alert>
  );
}

function NotConfirmed({ rule, code }: { readonly rule: string | undefined; readonly code: string }) {
  return (
    <Alert color="yellow" role="alert" title="Stored, not yet in force">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          The rule is stored, and it is not known that every node has confirmed it: some may still say active. It comes
          into force by itself. Ask again to wait for the same rule.
        </Text>
        {rule !== undefined && (
          <Text size="sm">
            Rule{' '}
            <PageLink to="/rules/$id" params={{ id: rule }} inherit>
              {rule}
            </PageLink>
          </Text>
        )}
        <Code>{code}</Code>
      </Stack>
    </Alert>
  );
}

const titleOf = (status: number, title: string): string => (status === FORBIDDEN ? 'You may not do this' : title);

/** Details of the API begin small and end without a full stop. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

export function MayNotStop({ what }: { readonly what: string }) {
  return (
    <Text size="sm" role="note">
      You may look, and not {what}: your role lacks that right. Somebody with the role responder or admin can.
    </Text>
  );
}
