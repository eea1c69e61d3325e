import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { problemOf } from '../../api/problem.js';
import type { Terms } from '../../display/rule/words.js';
import { termsBody } from './queries.js';

export interface Order extends Terms {
  readonly reason: string;
  /** The number that was typed, or what else the service asks for. */
  readonly confirm?: number | 'uncounted' | true;
}

/** What the service asks for before it takes an order that hits many. */
export interface Asked {
  readonly confirm: number | 'uncounted' | true;
  readonly by?: 'users' | 'tokens';
  readonly of?: number | null;
}

const REFUSED = [400, 401, 403, 422, 429];

/**
 * Orders under one Idempotency-Key for as long as the form is open, so that asking again orders nothing twice. The first request answers with the id
 * of the rule as soon as it is stored, so that the page can show who confirms; the second waits until the rule is in force.
 */
export function useOrder() {
  const navigate = useNavigate({ from: '/stop' });
  const [key] = useState(() => crypto.randomUUID());
  const [sent, setSent] = useState<Order>();
  const store = api.useMutation('post', '/v1/revocations');
  const wait = api.useMutation('post', '/v1/revocations');

  async function send(order: Order): Promise<void> {
    const { reason, confirm, ...terms } = order;
    const body = { ...termsBody(terms), reason, ...(confirm === undefined ? {} : { confirm }) } as never;
    setSent(order);
    wait.reset();
    try {
      const { id } = (await store.mutateAsync({
        params: { header: { 'Idempotency-Key': key, Prefer: 'respond-async' } },
        body,
      })) as { readonly id: string };
      void navigate({ search: (before) => ({ ...before, rule: id }), replace: true });
      await wait.mutateAsync({ params: { header: { 'Idempotency-Key': key } }, body });
    } catch (error) {
      // What was refused is stored nowhere: the form may change. Otherwise the same order is asked again.
      if (REFUSED.includes(problemOf(error).status)) setSent(undefined);
    }
  }

  const error = store.error ?? wait.error;
  return {
    send: (order: Order) => void send(sent ?? order),
    isPending: store.isPending || wait.isPending,
    /** Whether the order is stored, or may be: it must not change any more. */
    isSent: sent !== undefined,
    isInForce: wait.isSuccess,
    error,
    asked: error === null ? undefined : askedBy(error),
  };
}

function askedBy(error: unknown): Asked | undefined {
  const { code, ...problem } = problemOf(error);
  return code === 'confirmation-required' ? (problem as unknown as Asked) : undefined;
}
