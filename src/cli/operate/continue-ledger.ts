import { randomUUID } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import { createControlFollower, createControlLog } from '../../control/index.js';
import { createCheckpointTopic } from '../../feeds/index.js';
import { contentOf, prepareOwnEvent } from '../../ingest/index.js';
import { continueLedger, createLedgerDirectory, type Continuation } from '../../log/index.js';
import type { Config } from '../../platform/config/index.js';
import { startKafka } from '../../platform/embedded/index.js';
import { createKafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import { onDatabase } from './rebuild-from-ledger.js';

/** The control log's reader, and the transaction. */
const CONNECTIONS = 3;

/** Opens the next incarnation of a tenant's ledger, on the database itself. `tenant`: its id or its name. */
export async function continueOnDatabase(
  config: Config,
  { tenant: named, reason, log }: { readonly tenant: string; readonly reason: string; readonly log: Log },
): Promise<Continuation> {
  return onDatabase(config, { log, max: CONNECTIONS }, async ({ pool, url, lifecycle }) => {
    const follower = createControlFollower({ url, controlLog: createControlLog({ pool }), log, serves: false });
    await follower.start();
    lifecycle.onStop('control follower', () => follower.stop());
    const tenant = follower.state.tenant(named) ?? follower.state.tenantByName(named);
    if (!tenant) throw new RescindError('not-found', { detail: `no tenant is named ${named}` });
    const { servers } = await startKafka(config, log, lifecycle);
    const kafka = servers && createKafka({ ...servers, clientId: 'rescind-continue', log });
    const topic = kafka && createCheckpointTopic({ kafka, prefix: config.topicPrefix });
    if (topic) lifecycle.onStop('topic of checkpoints', () => topic.stop());
    return await continueLedger({
      pool,
      tenant: tenant.id,
      logOrigin: config.logOrigin,
      directory: createLedgerDirectory(config.ledgerDir),
      anchors: topic ? [topic] : [],
      contentOf,
      entryOf: ({ origin, last, lastOrigin, kept }) =>
        prepareOwnEvent({
          tenant,
          name: 'ledger.continued',
          id: randomUUID(),
          timeMs: Date.now(),
          data: {
            origin,
            last: { origin: lastOrigin, size: String(last.size), root: last.root.toString('base64') },
            kept: String(kept),
            reason,
          },
        }),
    });
  });
}
