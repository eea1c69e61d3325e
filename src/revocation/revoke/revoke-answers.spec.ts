import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import type { Caller, Tenant } from '../../control/index.js';
import { MAX_FORM_BYTES } from '../../platform/http/index.js';
import { createLog } from '../../platform/log/index.js';
import { createMetrics } from '../../platform/observe/index.js';
import type { Authenticator } from '../../registry/index.js';
import { createRuleIndex } from '../../rules/index.js';
import { createRevokeHandler, type OwnOutcome, type PresentedToken } from '../index.js';

const TENANT: Tenant = { id: 't', name: 'default', key: Buffer.alloc(32, 1), rules: createRuleIndex(), version: 1 };
const client: Caller = {
  id: 'wiki',
  tenant: TENANT.id,
  roles: { 'revoke-own': { clients: [] } },
  secrets: [],
  disabled: false,
};

let close: () => Promise<unknown> = async () => undefined;
afterEach(() => close());

interface World {
  readonly caller?: Caller | 'refused';
  readonly presented?: PresentedToken;
  readonly outcome?: OwnOutcome | Error;
  readonly tenant?: Tenant | 'gone';
}

/** Serves the handler over HTTP. The token behind a text, and the outcome of an order, are as given. */
async function given({
  caller = client,
  presented = { kind: 'opaque', sha256: 'x' },
  outcome = 'revoked',
  tenant = TENANT,
}: World) {
  const logged: string[] = [];
  const addresses: unknown[] = [];
  const metrics = createMetrics();
  const refusal = { code: 'unauthenticated', scheme: 'Basic' };
  const authenticate = (({ remoteAddress }: { remoteAddress: string }) => (
    addresses.push(remoteAddress), caller === 'refused' ? { refusal } : { caller }
  )) as unknown as Authenticator;
  const handler = createRevokeHandler({
    authenticate,
    revocations: {
      async orderOwn() {
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
    verifier: { identify: async () => presented },
    lineage: { tokens: async (_, keys) => keys.map(() => undefined), idJags: async () => [] },
    follower: { state: { tenant: () => (tenant === 'gone' ? undefined : tenant) } as never },
    log: createLog({ level: 'error', destination: { write: (line) => void logged.push(line) } }),
    metrics,
  });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function post(form: Record<string, string>, init: RequestInit = {}) {
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), ...init });
    const body = await response.text();
    const error = body === '' ? undefined : (JSON.parse(body) as { error: string }).error;
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    expect(response.headers.get('cache-control')).toBe('no-store');
    const counted = [
      ...(await metrics.text()).matchAll(/^rescind_revoke_requests_total\{outcome="([\w-]+)"\} 1$/gm),
    ].map(([, name]) => name);
    return {
      status: response.status,
      error,
      retryAfter: response.headers.get('retry-after'),
      headers: response.headers,
      counted,
    };
  }
  return { post, logged, addresses };
}

describe('POST /revoke answers', () => {
  it.each<
    [string, World, Record<string, string>, { status: number; error?: string; retryAfter?: string; counted: string }]
  >([
    ['a revoked token', {}, { token: 'x' }, { status: 200, counted: 'revoked' }],
    [
      'a text that is no token',
      { presented: { kind: 'refused' } },
      { token: 'x' },
      { status: 200, counted: 'nothing-to-revoke' },
    ],
    [
      'a token whose key is not there',
      { presented: { kind: 'no-key' } },
      { token: 'x' },
      { status: 503, error: 'temporarily_unavailable', retryAfter: '30', counted: 'no-key' },
    ],
    [
      'the token of another client',
      { outcome: 'not-own' },
      { token: 'x' },
      { status: 400, error: 'invalid_request', counted: 'not-own' },
    ],
    [
      'a client with too many unknown tokens',
      { outcome: 'full' },
      { token: 'x' },
      { status: 503, error: 'temporarily_unavailable', retryAfter: '1', counted: 'full' },
    ],
    [
      'an order that is not confirmed',
      { outcome: new RescindError('not-confirmed') },
      { token: 'x' },
      { status: 503, error: 'temporarily_unavailable', retryAfter: '1', counted: 'unavailable' },
    ],
    ['a form without a token', {}, {}, { status: 400, error: 'invalid_request', counted: 'no-token' }],
    [
      'a form that is too large',
      {},
      { token: 'x'.repeat(MAX_FORM_BYTES) },
      { status: 413, error: 'invalid_request', counted: 'too-large' },
    ],
    [
      'a caller without the role',
      { caller: { ...client, roles: {} } },
      { token: 'x' },
      { status: 403, error: 'insufficient_scope', counted: 'no-role' },
    ],
  ])('%s', async (_, world, form, expected) => {
    const { post, logged } = await given(world);
    const { status, error, retryAfter, counted } = await post(form);
    expect({ status, error, retryAfter, counted }).toEqual({
      error: undefined,
      retryAfter: null,
      ...expected,
      counted: [expected.counted],
    });
    expect(logged).toEqual([]);
  });

  it('a caller that nobody knows', async () => {
    const { post, addresses } = await given({ caller: 'refused' });
    expect(await post({ token: 'x' })).toMatchObject({
      status: 401,
      error: 'invalid_client',
      counted: ['unauthenticated'],
    });
    expect(addresses).toEqual([expect.stringMatching(/127\.0\.0\.1$/)]);
  });

  it.each([
    ['is no form', { headers: { 'content-type': 'application/json' }, body: '{"token":"x"}' }, 'not-a-form'],
    [
      'repeats a parameter',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'token=x&token=y' },
      'malformed',
    ],
  ])('a body that %s', async (_, init, counted) => {
    const { post } = await given({});
    expect(await post({}, init)).toMatchObject({ status: 400, error: 'invalid_request', counted: [counted] });
  });

  it('another method than POST', async () => {
    const { post } = await given({});
    const answer = await post({}, { method: 'PUT' });
    expect(answer).toMatchObject({ status: 405, error: 'invalid_request', counted: ['wrong-method'] });
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it.each<[string, World]>([
    ['a failure of its own', { outcome: new Error('a defect') }],
    ['a caller whose tenant is gone', { tenant: 'gone' }],
  ])('%s as unavailable, and logs it', async (_, world) => {
    const { post, logged } = await given(world);
    expect(await post({ token: 'x' })).toMatchObject({ status: 503, retryAfter: '1', counted: ['unavailable'] });
    expect(logged).toHaveLength(1);
  });
});
