import { createControlFollower, createControlLog } from '../control/index.js';
import {
  createFindings,
  DETECTIONS,
  followNext,
  SEVERITIES,
  type FindingItem,
  type Severity,
} from '../findings/index.js';
import { type Log } from '../platform/log/index.js';
import { createPool } from '../platform/postgres/index.js';
import { createAsk } from '../projections/index.js';
import { createReader } from '../query/index.js';

/** Findings that are shown; the numbers count the others too. */
const SHOWN = 5;
/** One session follows the ledger, one reads. */
const CONNECTIONS = 2;

/** Open findings in a tenant's ledger, after the detections have read it to its end. */
export interface Found {
  readonly bySeverity: Readonly<Record<Severity, number>>;
  /** The worst, and of these the newest. */
  readonly first: readonly FindingItem[];
}

/** Reads the ledger of a tenant with every detection, to its end, and lists what they found. */
export async function findInSeeded(databaseUrl: string, tenantName: string, log: Log): Promise<Found> {
  const pool = createPool({ url: databaseUrl, max: CONNECTIONS, applicationName: 'rescind-seed-findings' });
  const follower = createControlFollower({
    url: databaseUrl,
    controlLog: createControlLog({ pool }),
    log,
    serves: false,
  });
  try {
    await follower.start();
    const tenant = follower.state.tenantByName(tenantName)!;
    const reader = createReader(() => follower.state);
    await followNext({ pool, tenants: () => [tenant], control: reader, detections: DETECTIONS });
    const findings = createFindings({ ask: createAsk({ pool, now: () => Math.floor(Date.now() / 1_000) }), reader });
    const open: FindingItem[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await findings.list(tenant.id, {
        state: 'open',
        limit: '100',
        ...(cursor === undefined ? {} : { cursor }),
      });
      open.push(...page.items);
      cursor = page.next;
    }
    return {
      bySeverity: Object.fromEntries(
        SEVERITIES.map((severity) => [severity, open.filter((one) => one.severity === severity).length]),
      ) as Found['bySeverity'],
      first: open
        .toSorted((left, right) => SEVERITIES.indexOf(right.severity) - SEVERITIES.indexOf(left.severity))
        .slice(0, SHOWN),
    };
  } finally {
    await follower.stop();
    await pool.end();
  }
}
