import type { NewsOfFindings } from '../../feeds/index.js';
import { lastNews, readNews, withoutNetworks, type Findings } from '../../findings/index.js';
import type { Pool } from '../../platform/postgres/index.js';

/** News of findings as a stream and a topic read them. */
export const newsOf = (findings: Findings, pool: Pool): NewsOfFindings => ({
  last: (tenant) => lastNews({ pool, tenant }),
  read: (tenant, after) => readNews({ pool, tenant, after }),
  async show(tenant, id, { payloads }) {
    const finding = await findings.find(tenant, id);
    return payloads || finding === undefined ? finding : withoutNetworks(finding);
  },
});
