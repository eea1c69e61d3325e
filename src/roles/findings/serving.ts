import { createFindings, type DetectionsParts, type FindingsParts } from '../../findings/index.js';
import { createOwnTeller, type Appender } from '../../ingest/index.js';
import { createAsk } from '../../projections/index.js';
import type { Reader } from '../../query/index.js';
import type { Parts } from '../parts.js';

/** Creates what `/v1/findings` and `/v1/detections` need of the process. */
export function createFindingsServing(
  { pool, questionPool, leaving, follower, log }: Parts,
  reader: Reader,
  appender: Appender,
): { readonly findings: FindingsParts; readonly detections: DetectionsParts } {
  const { state } = follower;
  const tenants = () => state.tenants();
  return {
    findings: {
      findings: createFindings({
        ask: createAsk({ pool: questionPool, now: () => Math.floor(Date.now() / 1000), leaving }),
        reader,
      }),
      tell: createOwnTeller({ name: 'finding.changed', state, appender, pool }),
      tenants,
      log,
    },
    detections: { tell: createOwnTeller({ name: 'detection.changed', state, appender, pool }), tenants, log },
  };
}
