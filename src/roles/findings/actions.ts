import type { Caller } from '../../control/index.js';
import { createActor, createFindings, type Orders } from '../../findings/index.js';
import { createPool } from '../../platform/postgres/index.js';
import { createAsk } from '../../projections/index.js';
import { createReader } from '../../query/index.js';
import { createRevocations, type Revocations } from '../../revocation/index.js';
import type { Parts } from '../parts.js';

/** One session holds the right to act, one decides, one reads. */
const ACTION_CONNECTIONS = 3;

/** Orders rules for detections: as a caller that may revoke for the whole tenant, and is no administrator. No registered caller has such an id. */
export function createOrders(revocations: Revocations): Orders {
  const callerOf = ({ tenant, kind }: Parameters<Orders['order']>[0]): Caller => ({
    id: `detection:${kind}`,
    tenant,
    roles: { revoke: { tenant: true } },
    secrets: [],
    disabled: false,
  });
  // A person can lift a block.
  const block = (selector: object) => ({ selector, effect: 'block' });
  return {
    foresee: (by, selector) => revocations.foresee(callerOf(by), block(selector)),
    async order(by, selector, finding) {
      const { id } = await revocations.orderOnce(
        callerOf(by),
        { ...block(selector), reason: `finding ${finding}` },
        finding,
      );
      return id;
    },
    isOrdered: (by, finding) => revocations.isOrdered(callerOf(by), finding),
  };
}

/** Acts on findings as administrators have set it. Nothing waits for it. */
export function startActions(parts: Parts): void {
  const { config, url, log, metrics, lifecycle, controlLog, follower, pool: orderPool, questionPool } = parts;
  const pool = createPool({
    url,
    max: ACTION_CONNECTIONS,
    applicationName: 'rescind-actions',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('actions pool', () => pool.end());
  parts.watchPool('actions', pool);
  const revocations = createRevocations({
    controlLog,
    follower,
    pool: orderPool,
    questionPool,
    confirmShare: config.confirmShare,
  });
  const findings = createFindings({
    ask: createAsk({ pool, now: () => Math.floor(Date.now() / 1_000) }),
    reader: createReader(() => follower.state),
  });
  const actor = createActor({
    pool,
    findings,
    orders: createOrders(revocations),
    tenants: () => follower.state.tenants(),
    log,
    metrics,
  });
  lifecycle.onStop('actions', () => actor.stop());
  actor.start();
}
