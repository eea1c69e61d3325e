/** Versions that a process remembers of a tenant: about 200 bytes each. Below what one answer walks, so that none of these ends it. */
export const MAX_VERSIONS_KNOWN = 10_000;

/** As `versions.sql` tells them. */
export interface VersionRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly ix: number;
  /** Index of the grant's version before it. Null: there is none. */
  readonly before: number | null;
  readonly added: string | null;
}

interface Version {
  readonly grant: string;
  readonly pair: string;
  readonly client: number;
  readonly res: number;
  readonly ix: number;
  readonly before: number | null;
  readonly added: readonly string[];
}

/** What grants became after their first version, between two indexes, rising. Nothing of it is ever written again. */
export interface KnownVersions {
  from: number;
  upTo: number;
  /** From it on they were too many. */
  tooMany: number;
  versions: readonly Version[];
}

export const noVersions = (index: number): KnownVersions => ({ from: index, upTo: index, tooMany: -1, versions: [] });

function versionOf({ usr, client, res, ix, before, added }: VersionRow): Version {
  const pair = `${client} ${res}`;
  return { grant: `${usr} ${pair}`, pair, client, res, ix, before, added: added === null ? [] : added.split(' ') };
}

export const areKnown = ({ from, upTo }: KnownVersions, since: number, until: number): boolean => from <= since && until <= upTo;

/** Takes in all from an index that is not above `upTo`, up to another. Where they get too many, those of the earlier half of the indexes are forgotten. */
export function learnVersions(known: KnownVersions, rows: readonly VersionRow[], upTo: number): void {
  if (upTo <= known.upTo) return;
  known.versions = [...known.versions, ...rows.filter(({ ix }) => ix >= known.upTo).map(versionOf)];
  known.upTo = upTo;
  while (known.versions.length > MAX_VERSIONS_KNOWN) {
    known.from = Math.ceil((known.from + upTo) / 2);
    known.versions = known.versions.filter(({ ix }) => ix >= known.from);
  }
}

/** Takes in all from an index up to one that `from` has not gone beyond. */
export function learnEarlierVersions(known: KnownVersions, rows: readonly VersionRow[], from: number): void {
  if (from >= known.from) return;
  known.versions = [...rows.filter(({ ix }) => ix < known.from).map(versionOf), ...known.versions];
  known.from = from;
}

/** Begins again at an index. */
export function forgetVersions(known: KnownVersions, index: number): void {
  if (index < known.upTo) return;
  known.versions = [];
  known.from = index;
  known.upTo = index;
}

export interface GrownGrants {
  readonly client: number;
  readonly res: number;
  readonly grants: number;
  readonly first: number;
  readonly last: number;
  readonly added: readonly string[];
}

interface Between {
  readonly since: { readonly index: bigint };
  readonly until: { readonly index: bigint };
  readonly clients: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

/** Grants that came to hold more scopes between two moments, by client and resource. */
export function grownBetween({ versions }: KnownVersions, { since, until, clients, resources }: Between): GrownGrants[] {
  const pairs = new Map<string, { readonly client: number; readonly res: number; readonly grants: Set<string>; readonly first: number; last: number; readonly added: string[] }>();
  for (const { grant, pair, client, res, ix, before, added } of versions) {
    if (ix < Number(since.index) || ix >= Number(until.index) || (clients && !clients.includes(client)) || (resources && !resources.includes(res))) continue;
    if (before === null || added.length === 0) continue;
    const grown = pairs.get(pair);
    if (grown === undefined) pairs.set(pair, { client, res, grants: new Set([grant]), first: ix, last: ix, added: [...added] });
    else {
      grown.grants.add(grant);
      grown.last = ix;
      grown.added.push(...added);
    }
  }
  return [...pairs.values()].map(({ grants, ...grown }) => ({ ...grown, grants: grants.size }));
}
