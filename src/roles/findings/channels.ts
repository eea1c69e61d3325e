import { createDeliverer, createSender, type ChannelFacts, type Sender } from '../../channels/index.js';
import { createFindings, lastNews } from '../../findings/index.js';
import { readAuthorities, type Config } from '../../platform/config/index.js';
import { createEgress, parseAllowed } from '../../platform/egress/index.js';
import { createPool } from '../../platform/postgres/index.js';
import { createAsk } from '../../projections/index.js';
import { createReader, type Reader } from '../../query/index.js';
import { RescindError } from '../../contracts/index.js';
import type { Parts } from '../parts.js';

/** One session holds the right to deliver, one reads findings, one writes outcomes. */
const CHANNELS_CONNECTIONS = 3;

/** Creates the way out to receivers of findings. Throws `config-invalid`. */
function createChannelSender({ channels }: Config): Sender {
  const allowed = parseAllowed(channels.allowed);
  if (allowed === undefined)
    throw new RescindError('config-invalid', {
      detail: 'CHANNEL_ALLOWED_HOSTS holds what is no host, address or network',
    });
  const egress = createEgress({ allowed, ca: readAuthorities('CHANNEL_TLS_CA', channels.caFile) });
  return createSender({ egress, publicUrl: channels.publicUrl });
}

/** Creates what `/v1/channels` needs of the process. */
export const createChannelFacts = (
  { config, pool }: Pick<Parts, 'config' | 'pool'>,
  { tenantKey }: Pick<Reader, 'tenantKey'>,
): ChannelFacts => ({
  send: createChannelSender(config),
  tenantKey,
  lastNews: (tenant) => lastNews({ pool, tenant }),
  now: Date.now,
});

/** Pushes news of findings to the receivers that administrators have set. Nothing waits for it. */
export function startChannels({ config, url, log, metrics, lifecycle, follower, watchPool }: Parts): void {
  const pool = createPool({
    url,
    max: CHANNELS_CONNECTIONS,
    applicationName: 'rescind-channels',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('channels pool', () => pool.end());
  watchPool('channels', pool);
  const deliverer = createDeliverer({
    pool,
    tenants: () => follower.state.tenants(),
    findings: createFindings({
      ask: createAsk({ pool, now: () => Math.floor(Date.now() / 1_000) }),
      reader: createReader(() => follower.state),
    }),
    send: createChannelSender(config),
    log,
    metrics,
  });
  lifecycle.onStop('channels', () => deliverer.stop());
  deliverer.start();
}
