import { randomUUID } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import { createControlFollower, createControlLog, type Tenant } from '../../control/index.js';
import { createCheckpointTopic } from '../../feeds/index.js';
import { contentOf, prepareOwnEvent } from '../../ingest/index.js';
import {
  continueLedger,
  createLedgerDirectory,
  planRotation,
  rotateLogKey,
  type Continuation,
  type LedgerDirectory,
  type Rotation,
} from '../../log/index.js';
import type { Config } from '../../platform/config/index.js';
import { startKafka } from '../../platform/embedded/index.js';
import { createKafka } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { Lifecycle } from '../../platform/process/index.js';
import { onDatabase } from './rebuild-from-ledger.js';

/** The control log's reader, and the transaction. */
const CONNECTIONS = 3;

export interface OnLedgerOptions {
  /** Id or name of a tenant. */
  readonly tenant: string;
  readonly log: Log;
}

interface OpenLedger {
  readonly pool: Pool;
  readonly tenant: Tenant;
  readonly directory: LedgerDirectory;
  readonly lifecycle: Lifecycle;
}

/** Runs `work` on a tenant's ledger in the database itself. */
const onLedger = <T>(
  config: Config,
  { tenant: named, log }: OnLedgerOptions,
  work: (ledger: OpenLedger) => Promise<T>,
): Promise<T> =>
  onDatabase(config, { log, max: CONNECTIONS }, async ({ pool, url, lifecycle }) => {
    const follower = createControlFollower({ url, controlLog: createControlLog({ pool }), log, serves: false });
    await follower.start();
    lifecycle.onStop('control follower', () => follower.stop());
    const tenant = follower.state.tenant(named) ?? follower.state.tenantByName(named);
    if (!tenant) throw new RescindError('not-found', { detail: `no tenant is named ${named}` });
    return await work({ pool, tenant, directory: createLedgerDirectory(config.ledgerDir), lifecycle });
  });

/** Opens the next incarnation of a tenant's ledger. */
export const continueOnDatabase = (
  config: Config,
  options: OnLedgerOptions & { readonly reason: string },
): Promise<Continuation> =>
  onLedger(config, options, async ({ pool, tenant, directory, lifecycle }) => {
    const { reason, log } = options;
    const { servers } = await startKafka(config, log, lifecycle);
    const kafka = servers && createKafka({ ...servers, clientId: 'rescind-continue', log });
    const topic = kafka && createCheckpointTopic({ kafka, prefix: config.topicPrefix });
    if (topic) lifecycle.onStop('topic of checkpoints', () => topic.stop());
    return await continueLedger({
      pool,
      tenant: tenant.id,
      logOrigin: config.logOrigin,
      directory,
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

/**
 * Changes the key of a tenant's ledger, beside a running service or without one. `agree` is shown the change first, and resolves to the reason
 * for it, or to undefined to leave the key as it is.
 */
export const rotateOnDatabase = (
  config: Config,
  options: OnLedgerOptions & {
    readonly pem: string | undefined;
    readonly agree: (rotation: Rotation) => Promise<string | undefined>;
  },
): Promise<(Rotation & { readonly index: bigint }) | undefined> =>
  onLedger(config, options, async ({ pool, tenant, directory }) => {
    const rotation = { tenant: tenant.id, logOrigin: config.logOrigin, directory, pem: options.pem };
    const reason = await options.agree(await planRotation(pool, rotation));
    if (reason === undefined) return undefined;
    return await rotateLogKey({
      ...rotation,
      pool,
      contentOf,
      entryOf: ({ origin, from, to, until }) =>
        prepareOwnEvent({
          tenant,
          name: 'log-key.changed',
          id: randomUUID(),
          timeMs: Date.now(),
          data: { origin, from, to, until, reason },
        }),
    });
  });
