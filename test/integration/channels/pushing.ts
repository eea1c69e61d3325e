import { createDeliverer, type DelivererOptions } from '../../../src/channels/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import type { Cleanups } from '../../support/cleanups.js';
import { testLog } from '../../support/services.js';
import { issued, MONDAY, startWorld, used, type World } from '../findings/world.js';
import { ACME, GLOBEX } from '../query/history.js';

const ADMIN = 'acme-admin';

/** A world whose findings are pushed, with words for channels. */
export async function startPushing(cleanups: Pick<Cleanups, 'push'>, options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  cleanups.push(() => world.stop());
  const metrics = createMetrics();
  let clock = MONDAY;

  async function call(method: string, path: string, body?: unknown, caller: string | null = ADMIN) {
    return world.send(method, `/v1/channels${path}`, caller, body);
  }
  async function ok(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await call(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  return {
    ...world,
    metrics,
    call,
    ok,
    /** Starts delivering; without pauses between attempts, unless `random` says otherwise. */
    startDelivering(more: Partial<DelivererOptions> = {}): { stop(): Promise<void> } {
      const deliverer = createDeliverer({
        pool: world.pool,
        tenants: () => [{ id: ACME }, { id: GLOBEX }],
        findings: world.findings,
        send: world.channelSender,
        log: testLog(),
        metrics,
        random: () => 0,
        lookEveryMs: 20,
        ...more,
      });
      deliverer.start();
      return deliverer;
    },
    /** Makes a new finding of severity high, about a user, and resolves to its id. */
    async makeFinding(user: string): Promise<string> {
      const at = (clock += 3_600);
      const from = (client_address: string) => ({ client_address });
      await world.tell(
        issued(`${user}-1`, at, { user, client: 'bot', agent: 'bot-1' }),
        used(`${user}-1`, at + 10, from('192.0.2.7')),
        used(`${user}-1`, at + 20, from('203.0.113.66')),
      );
      await world.find();
      return (await world.list('&kind=token-from-two-networks')).find((finding) => finding.user?.sub === user)!.id;
    },
    deliveries: async (name: string, query = ''): Promise<readonly any[]> =>
      (await ok('GET', `/${name}/deliveries${query}`)).items,
  };
}

export type Pushing = Awaited<ReturnType<typeof startPushing>>;
export type { World };
