import { LRUCache } from 'lru-cache';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import {
  areKnown,
  forgetVersions,
  learnEarlierVersions,
  learnVersions,
  MAX_VERSIONS_KNOWN,
  noVersions,
  type KnownVersions,
  type VersionRow,
} from './known-versions.js';

const VERSIONS = { name: 'grant-versions', text: loadSql(import.meta.url, 'versions.sql') };

/** Versions that a process remembers, over all tenants. */
const MAX_REMEMBERED = 50_000;

/**
 * Reads all versions of grants, other than their first, from an index up to the snapshot's. Undefined if there are too
 * many or if the snapshot is older than the remembered ones; undefined instead of a promise if that is known without
 * reading.
 */
export type VersionsOf = (until: Snapshot, since: number) => Promise<KnownVersions | undefined> | undefined;

/**
 * Remembers the versions of each tenant and reads only those with other indexes. The rows are never changed once
 * written, so only another generation of tables makes the memory void.
 */
export function createVersionMemory(): VersionsOf {
  const remembered = new LRUCache<string, KnownVersions>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: ({ versions }) => 1 + versions.length,
  });
  return (until, since) => {
    const index = Number(until.index);
    const name = `${until.tenant} ${until.tables}`;
    const there = remembered.get(name);
    // Starts afresh if the gap to the remembered versions is wider than their own span.
    const known = there && since - there.upTo <= there.upTo - there.from ? there : noVersions(index);
    // The snapshot may lack versions that lie at or above its index.
    if (index < known.from || since <= known.tooMany) return undefined;
    return follow(known, until, since).then((isNews) => {
      if (isNews) remembered.set(name, known);
      return areKnown(known, since, index) ? known : undefined;
    });
  };
}

async function follow(known: KnownVersions, { rows, index }: Snapshot, since: number): Promise<boolean> {
  const { from, upTo } = known;
  const until = Number(index);
  const read = (first: number, end: number): Promise<VersionRow[]> | undefined =>
    first < end ? rows<VersionRow>(VERSIONS, [String(first), String(end), MAX_VERSIONS_KNOWN + 1]) : undefined;
  const [earlier, later] = await Promise.all([read(since, from), read(upTo, until)]);
  const count = known.versions.length + (earlier?.length ?? 0);
  if (later && later.length > MAX_VERSIONS_KNOWN) {
    known.tooMany = Math.max(known.tooMany, since);
    forgetVersions(known, until);
    return true;
  }
  if (earlier && count > MAX_VERSIONS_KNOWN) known.tooMany = Math.max(known.tooMany, since);
  // Another question may have dropped some versions during the read.
  else if (earlier && known.from <= from) learnEarlierVersions(known, earlier, since);
  if (later) learnVersions(known, later, until);
  return earlier !== undefined || later !== undefined;
}
