import { setTimeout as delay } from 'node:timers/promises';
import type { Found } from './judge.js';

const POLL_MS = 250;
/** How long the detections may take for a whole story, after which something is broken. */
const MOST_MS = 600_000;
const LIMIT = 100;

interface Finding {
  readonly kind: string;
  readonly first_seen: string | number;
  readonly last_seen: string | number;
  readonly says?: string;
  readonly [member: string]: unknown;
}

interface Page {
  readonly as_of: { readonly index: string };
  readonly items: readonly Finding[];
  readonly next?: string | null;
}

/** Asks the service for all findings, once its detections have read every entry of the ledger. */
export async function askFindings(url: string, key: string, entries: number): Promise<Found[]> {
  const get = async (path: string): Promise<Page> => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Page;
  };
  const since = performance.now();
  while (Number((await get('/v1/findings?limit=1')).as_of.index) < entries - 1) {
    if (performance.now() - since > MOST_MS) throw new Error('the detections have not read the ledger to its end');
    await delay(POLL_MS);
  }
  const found: Found[] = [];
  for (let path: string | undefined = `/v1/findings?limit=${LIMIT}`; path !== undefined; ) {
    const page: Page = await get(path);
    found.push(...page.items.map(readFinding));
    path = page.next ? `/v1/findings?limit=${LIMIT}&cursor=${encodeURIComponent(page.next)}` : undefined;
  }
  return found;
}

const seconds = (time: string | number): number => (typeof time === 'number' ? time : Date.parse(time) / 1000);

/** What it advises to do next is left out: it may name anything. */
function readFinding(finding: Finding): Found {
  return {
    kind: finding.kind,
    first: seconds(finding.first_seen),
    last: seconds(finding.last_seen),
    says: finding.says ?? '',
    text: JSON.stringify({ ...finding, next: undefined }),
  };
}
