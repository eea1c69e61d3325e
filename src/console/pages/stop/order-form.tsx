import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { ReasonField } from '../../display/rule/reason-field.js';
import { useState } from 'react';
import { useMe } from '../../api/me.js';
import { countText } from '../../display/numbers.js';
import { MayNotStop, Refusal } from '../../display/rule/refusal.js';
import type { Terms } from '../../display/rule/words.js';
import { Failed, Loading } from '../../display/states.js';
import type { Asked, useOrder } from './order.js';
import { usePreview, type Preview } from './queries.js';

interface OrderFormProps {
  readonly terms: Terms;
  /** The reason that the URL carries. */
  readonly first: string;
  readonly order: ReturnType<typeof useOrder>;
}

/** The reason, the confirmation of an order that hits many, and the button. */
export function OrderForm({ terms, first, order }: OrderFormProps) {
  const { data: me, error, refetch } = useMe();
  const { data: preview } = usePreview(terms);
  const [reason, setReason] = useState(first);
  const [typed, setTyped] = useState('');
  if (me === undefined) return error === null ? <Loading /> : <Failed error={error} reset={() => void refetch()} />;
  if (!me.may.stop) return <MayNotStop what="order a rule" />;
  const asked = order.asked ?? askedBefore(terms, preview);
  const confirm = asked && confirmOf(asked, typed);
  const isReady = reason.trim() !== '' && (asked === undefined || confirm !== undefined);
  return (
    <form
      aria-label="Order"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) order.send({ ...terms, reason: reason.trim(), ...(confirm === undefined ? {} : { confirm }) });
      }}
    >
      <Stack gap="xs">
        <ReasonField label="Reason" value={reason} onChange={setReason} disabled={order.isSent} />
        {asked !== undefined && <Confirm asked={asked} typed={typed} onType={setTyped} />}
        {order.error !== null && order.asked === undefined && !order.isPending && (
          <Refusal error={order.error} returnTo={hereWith(reason)} />
        )}
        <Group>
          <Button type="submit" color="red.8" loading={order.isPending} disabled={!isReady}>
            {order.isSent && !order.isPending ? 'Ask again' : 'Order it'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Tells which confirmation will be asked for, before anything is sent. */
function askedBefore({ selector }: Terms, preview: Preview | undefined): Asked | undefined {
  if (selector.all === true) return { confirm: true };
  if (preview?.confirm === undefined) return undefined;
  return { confirm: preview.confirm, by: preview.confirm === preview.users ? 'users' : 'tokens' };
}

/** The confirmation that was given; undefined if it is not what was asked for. */
function confirmOf({ confirm }: Asked, typed: string): Asked['confirm'] | undefined {
  const wanted = typeof confirm === 'number' ? String(confirm) : WORDS[String(confirm)];
  return typed.replace(/[,\s]/g, '') === wanted ? confirm : undefined;
}

const WORDS: Readonly<Record<string, string>> = { true: 'everything', uncounted: 'uncounted' };

interface ConfirmProps {
  readonly asked: Asked;
  readonly typed: string;
  readonly onType: (typed: string) => void;
}

function Confirm({ asked: { confirm, by, of }, typed, onType }: ConfirmProps) {
  const isNumber = typeof confirm === 'number';
  const what = by === 'tokens' ? 'live tokens' : 'users';
  return (
    <Alert
      color="red"
      title={
        isNumber
          ? `It hits ${countText(confirm)} ${what}`
          : WORDS[String(confirm)] === 'everything'
            ? 'It stops everything'
            : 'It could not be counted'
      }
    >
      <Stack gap="xs">
        <Text size="sm">
          {isNumber && of != null && `That is ${countText(confirm)} of ${countText(of)}. `}
          Nothing is ordered yet. Type {isNumber ? countText(confirm) : `“${WORDS[String(confirm)]}”`} if that is meant.
        </Text>
        <TextInput
          size="xs"
          label={isNumber ? 'The number' : 'The word'}
          value={typed}
          onChange={({ currentTarget }) => onType(currentTarget.value)}
          inputMode={isNumber ? 'numeric' : 'text'}
          autoComplete="off"
          w={180}
        />
      </Stack>
    </Alert>
  );
}

/** This page with what was entered, for the way back from a sign-in. */
function hereWith(reason: string): string {
  const url = new URL(window.location.href);
  url.searchParams.set('reason', JSON.stringify(reason));
  return url.pathname + url.search;
}
