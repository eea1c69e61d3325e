/**
 * Versions that a process remembers of a tenant: about 200 bytes each. Below {@link MAX_VERSIONS_WALKED} of one answer,
 * so that remembered versions never make an answer incomplete.
 */
export const MAX_VERSIONS_KNOWN = 10_000;

/** A row of `versions.sql`. */
export interface VersionRow {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly ix: number;
  /** Index of the grant's previous version; null if there is none. */
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

/**
 * The later versions of grants (all but the first of each) between two indexes, in ascending order. They never change
 * once written.
 */
export interface KnownVersions {
  from: number;
  upTo: number;
  /** There were too many versions from this index on to remember them. */
  tooMany: number;
  versions: readonly Version[];
}

export const noVersions = (index: number): KnownVersions => ({ from: index, upTo: index, tooMany: -1, versions: [] });

function versionOf({ usr, client, res, ix, before, added }: VersionRow): Version {
  const pair = `${client} ${res}`;
  return { grant: `${usr} ${pair}`, pair, client, res, ix, before, added: added === null ? [] : added.split(' ') };
}

export const areKnown = ({ from, upTo }: KnownVersions, since: number, until: number): boolean =>
  from <= since && until <= upTo;

/**
 * Adds all versions from an index not above `upTo`, up to a new `upTo`. If there are too many, drops those of the
 * earlier half of the indexes.
 */
export function learnVersions(known: KnownVersions, rows: readonly VersionRow[], upTo: number): void {
  if (upTo <= known.upTo) return;
  known.versions = [...known.versions, ...rows.filter(({ ix }) => ix >= known.upTo).map(versionOf)];
  known.upTo = upTo;
  while (known.versions.length > MAX_VERSIONS_KNOWN) {
    known.from = Math.ceil((known.from + upTo) / 2);
    known.versions = known.versions.filter(({ ix }) => ix >= known.from);
  }
}

/** Adds all versions from an index up to the current `from` or beyond. */
export function learnEarlierVersions(known: KnownVersions, rows: readonly VersionRow[], from: number): void {
  if (from >= known.from) return;
  known.versions = [...rows.filter(({ ix }) => ix < known.from).map(versionOf), ...known.versions];
  known.from = from;
}

/** Drops everything and starts again at an index. */
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

/** Finds grants that gained scopes between two moments, by client and resource. */
export function grownBetween(
  { versions }: KnownVersions,
  { since, until, clients, resources }: Between,
): GrownGrants[] {
  const pairs = new Map<
    string,
    {
      readonly client: number;
      readonly res: number;
      readonly grants: Set<string>;
      readonly first: number;
      last: number;
      readonly added: string[];
    }
  >();
  for (const { grant, pair, client, res, ix, before, added } of versions) {
    if (
      ix < Number(since.index) ||
      ix >= Number(until.index) ||
      (clients && !clients.includes(client)) ||
      (resources && !resources.includes(res))
    )
      continue;
    if (before === null || added.length === 0) continue;
    const grown = pairs.get(pair);
    if (grown === undefined)
      pairs.set(pair, { client, res, grants: new Set([grant]), first: ix, last: ix, added: [...added] });
    else {
      grown.grants.add(grant);
      grown.last = ix;
      grown.added.push(...added);
    }
  }
  return [...pairs.values()].map(({ grants, ...grown }) => ({ ...grown, grants: grants.size }));
}
