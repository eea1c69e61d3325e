import { LRUCache } from 'lru-cache';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import { areKnown, forgetVersions, learnEarlierVersions, learnVersions, MAX_VERSIONS_KNOWN, noVersions, type KnownVersions, type VersionRow } from './known-versions.js';

const VERSIONS = { name: 'grant-versions', text: loadSql(import.meta.url, 'versions.sql') };

/** Versions that a process remembers, of all tenants. */
const MAX_REMEMBERED = 50_000;

/**
 * All versions of grants, other than their first, from an index up to the snapshot's. Undefined: they are too many, or the snapshot is older
 * than those that are remembered; at once, where that is known without reading.
 */
export type VersionsOf = (until: Snapshot, since: number) => Promise<KnownVersions | undefined> | undefined;

/** What is remembered is never written again: nothing makes it wrong but other tables, and what is new is found by its index. */
export function createVersionMemory(): VersionsOf {
  const remembered = new LRUCache<string, KnownVersions>({ maxSize: MAX_REMEMBERED, sizeCalculation: ({ versions }) => 1 + versions.length });
  return (until, since) => {
    const index = Number(until.index);
    const name = `${until.tenant} ${until.tables}`;
    const there = remembered.get(name);
    // What lies between is not read where it is more than what is there.
    const known = there && since - there.upTo <= there.upTo - there.from ? there : noVersions(index);
    // What lies at or above its index may have come after the snapshot.
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
  // Another question may have forgotten some meanwhile.
  else if (earlier && known.from <= from) learnEarlierVersions(known, earlier, since);
  if (later) learnVersions(known, later, until);
  return earlier !== undefined || later !== undefined;
}
