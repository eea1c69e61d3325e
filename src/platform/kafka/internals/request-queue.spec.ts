import { createRequire } from 'node:module';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { installRequestQueue } from './request-queue.kafka.js';

interface Queue {
  readonly throttleCheckTimeoutId: unknown;
  push(request: object): void;
  fulfillRequest(response: object): void;
  maybeThrottle(milliseconds: number): void;
  destroy(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as new (
  options: object,
) => Queue;
const nothing = (): void => {};
const logger = { debug: nothing, warn: nothing };

let queue: Queue;

beforeAll(installRequestQueue);
afterEach(() => queue.destroy());

function open(maxInFlightRequests: number | null): void {
  queue = new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 30_000,
    enforceRequestTimeout: false,
    clientId: 'c',
    broker: 'b',
    logger,
  });
}

function push(correlationId: number): Promise<'sent'> {
  return new Promise((resolve) => {
    const entry = { correlationId, resolve: nothing, reject: nothing };
    queue.push({ entry, expectResponse: true, sendRequest: () => resolve('sent') });
  });
}

it('starts no timer while no request waits', async () => {
  open(null);
  await push(1);
  queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
  expect(queue.throttleCheckTimeoutId).toBeNull();
});

it('sends a request that waits for a broker that asked for patience', async () => {
  open(null);
  queue.maybeThrottle(20);
  const waiting = push(1);
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  expect(await waiting).toBe('sent');
});

it('sends a request that waits for another', async () => {
  open(1);
  await push(1);
  const waiting = push(2);
  queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
  expect(await waiting).toBe('sent');
});
