import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Caller, Tenant } from '../../control/index.js';
import { createLog } from '../../platform/log/index.js';
import { createMetrics } from '../../platform/observe/index.js';
import type { Authenticator } from '../../registry/index.js';
import { createRuleIndex } from '../../rules/index.js';
import { createRevokeHandler, type PresentedToken } from '../index.js';

const TENANT: Tenant = { id: 't', name: 'default', key: Buffer.alloc(32, 1), rules: createRuleIndex(), version: 1 };
const callerOf = (id: string): Caller => ({
  id,
  tenant: TENANT.id,
  roles: { 'revoke-own': { clients: [{ iss: 'https://ras.example', client_id: 'wiki' }] } },
  secrets: [],
  disabled: false,
});
/** Attempts that a caller may spend at once. `MAX_WAIT_MS`: how long an attempt waits for its turn. */
const BURST = 64;
const MAX_WAIT_MS = 2_000;
/** Attempts beyond those that the bound has admitted by then. */
const REFUSED = 36;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Serves the handler over HTTP, with a verifier that answers `presented` for every text and no database. */
async function given(presented: PresentedToken) {
  const metrics = createMetrics();
  const world = { nowMs: 0, asked: 0, ordered: 0 };
  const authenticate = (({ form }: { form: Map<string, string> }) => (
    (world.asked += 1), { caller: callerOf(form.get('client_id')!) }
  )) as unknown as Authenticator;
  const handler = createRevokeHandler({
    authenticate,
    revocations: { orderOwn: async () => ((world.ordered += 1), 'revoked') },
    verifier: { identify: async () => presented },
    lineage: { tokens: async (_, keys) => keys.map(() => undefined), idJags: async () => [] },
    follower: { state: { tenant: () => TENANT } as never },
    log: createLog({ level: 'silent' }),
    metrics,
    monotonic: () => world.nowMs,
  });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (caller: string): Promise<string> => {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ token: 'a.b.c', client_id: caller }),
    });
    await response.text();
    return `${response.status} ${response.headers.get('retry-after')}`;
  };
  const counted = async (outcome: string): Promise<number> =>
    Number(
      new RegExp(`^rescind_revoke_requests_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
        await metrics.text(),
      )?.[1] ?? 0,
    );
  return { world, ask, counted };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

const tally = (answers: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(answers)].toSorted().map((answer) => [answer, answers.filter((one) => one === answer).length]),
  );

describe('POST /revoke, bounded a caller', () => {
  it.each<[string, PresentedToken, string, string]>([
    ['signatures that a key refuses', { kind: 'refused' }, '200 null', 'nothing-to-revoke'],
    ['signatures whose key is not there', { kind: 'no-key' }, '503 30', 'no-key'],
  ])(
    'makes %s wait, and refuses them with 503 in the end; another caller goes on',
    async (_, presented, answer, outcome) => {
      const sut = await given(presented);
      const asked = Array.from({ length: 2 * BURST + REFUSED }, () => sut.ask('flood'));
      await until(async () => (await sut.counted(outcome)) === BURST);
      expect(await sut.ask('honest')).toBe(answer);
      await until(async () => sut.world.asked === 2 * BURST + REFUSED + 1);
      // By then the bound has refilled, and serves the first attempts that wait.
      sut.world.nowMs += MAX_WAIT_MS;
      expect(tally(await Promise.all(asked))).toEqual({ [answer]: 2 * BURST, '503 1': REFUSED });
      expect(await sut.counted('too-many')).toBe(REFUSED);
      expect(sut.world.ordered).toBe(0);
    },
  );

  it('makes no caller wait for signatures that a key confirms', async () => {
    const jwt: PresentedToken = {
      kind: 'jwt',
      iss: 'https://ras.example',
      jti: 'a',
      signing_input_sha256: 'x',
      client_id: 'wiki',
    };
    const sut = await given(jwt);
    const answers = await Promise.all(Array.from({ length: 3 * BURST }, () => sut.ask('busy')));
    expect(tally(answers)).toEqual({ '200 null': 3 * BURST });
    expect(sut.world.ordered).toBe(3 * BURST);
  });
});
