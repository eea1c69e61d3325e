import { setTimeout as delay } from 'node:timers/promises';
import type { Found } from './judge.js';

const POLL_MS = 250;
/** How long the detections may take for a whole story, after which something is broken. */
const MOST_MS = 900_000;
const LIMIT = 100;

interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly says: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly [member: string]: unknown;
}

export interface Asking {
  readonly url: string;
  readonly key: string;
  /** Entries of the ledger. */
  readonly entries: number;
}

/**
 * Asks the service for all findings until its detections have read every entry, and notes how far they had read when a finding first showed. They
 * read a loaded past in large steps, so that this is late by up to a step.
 */
export async function askFindings({ url, key, entries }: Asking): Promise<Found[]> {
  const shownAt = new Map<string, number>();
  for (const since = performance.now(); ; await delay(POLL_MS)) {
    const { read, findings } = await readAll(url, key);
    for (const { id } of findings) if (!shownAt.has(id)) shownAt.set(id, read);
    // Its first page had all entries, so the list is whole.
    if (read >= entries) return findings.map((finding) => readFinding(finding, shownAt.get(finding.id)!));
    if (performance.now() - since > MOST_MS) throw new Error(`the detections have read ${read} of ${entries} entries`);
  }
}

interface Page {
  readonly as_of: { readonly index: string };
  readonly items: readonly Finding[];
  readonly next?: string;
}

/** Reads all pages, and how far the detections had read at the first. */
async function readAll(url: string, key: string): Promise<{ readonly read: number; readonly findings: Finding[] }> {
  const findings: Finding[] = [];
  let read = 0;
  let path: string | undefined = `/v1/findings?limit=${LIMIT}`;
  while (path !== undefined) {
    const response: Response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    const page = JSON.parse(text) as Page;
    if (findings.length === 0) read = Number(page.as_of.index);
    findings.push(...page.items);
    path = page.next ? `/v1/findings?limit=${LIMIT}&cursor=${encodeURIComponent(page.next)}` : undefined;
  }
  return { read, findings };
}

/** Leaves out `means` and `next`, which are the same for all findings of a kind. */
const readFinding = (finding: Finding, shownAt: number): Found => ({
  kind: finding.kind,
  first: Date.parse(finding.first_seen) / 1000,
  last: Date.parse(finding.last_seen) / 1000,
  says: finding.says,
  text: JSON.stringify({ ...finding, means: undefined, next: undefined }),
  shownAt,
});
