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

/** Grants that were there and hold more scopes, by client and resource. */
export function grownBetween({ versions }: KnownVersions, { since, until, clients, resources }: Between): GrownGrants[] {
  const from = Number(since.index);
  const to = Number(until.index);
  const grants = new Map<string, { readonly first: Version; readonly wasThere: boolean; last: number; added: readonly string[] }>();
  for (const version of versions) {
    const { grant, client, res, ix, before, added } = version;
    if (ix < from || ix >= to || (clients && !clients.includes(client)) || (resources && !resources.includes(res))) continue;
    const there = grants.get(grant);
    if (there === undefined) grants.set(grant, { first: version, wasThere: before !== null && before < from, last: ix, added });
    else {
      there.last = ix;
      there.added = [...there.added, ...added];
    }
  }
  const pairs = new Map<string, GrownGrants & { grants: number; first: number; last: number; added: string[] }>();
  for (const { first, wasThere, last, added } of grants.values()) {
    if (!wasThere || added.length === 0) continue;
    const grown = pairs.get(first.pair);
    if (grown === undefined) pairs.set(first.pair, { client: first.client, res: first.res, grants: 1, first: last, last, added: [...added] });
    else {
      grown.grants += 1;
      grown.first = Math.min(grown.first, last);
      grown.last = Math.max(grown.last, last);
      grown.added.push(...added);
    }
  }
  return [...pairs.values()];
}
