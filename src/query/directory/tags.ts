import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import { invalid, type Parameters } from '../ask/parameters.js';

/** A tag of an entry of the directory. */
export const TAG = { type: 'string', pattern: '^[a-z0-9-]{1,63}$' } as const;
/** Tags of an entry, and of a filter. */
export const MAX_TAGS = 20;

const TAGGED = loadSql(import.meta.url, 'tagged.sql');

/** Returns SQL that selects `id`, `kind` and `tag` of the entities with one of some tags; `tags` is an SQL expression of a list of texts. */
export const taggedWith = (tags: string): string => TAGGED.trimEnd().replaceAll('{tags}', tags);

const IDS = `SELECT DISTINCT t.id FROM (${taggedWith('$2::text[]')}) t`;

/** Reads a parameter of tags that commas separate; null if it is not given. Throws `invalid-request`. */
export function readTags(parameters: Parameters, name: string): readonly string[] | null {
  const tags = parameters.get(name)?.split(',');
  const form = new RegExp(TAG.pattern);
  if (tags !== undefined && (tags.length > MAX_TAGS || !tags.every((tag) => form.test(tag))))
    throw invalid(
      `\`${name}\` is up to ${MAX_TAGS} tags, separated by commas: each has 1 to 63 characters of a-z, 0-9 and -`,
    );
  return tags ?? null;
}

/** Finds the users, clients, agents and resources that have one of the tags in the directory now. */
export async function readTagged(snapshot: Snapshot, tags: readonly string[]): Promise<readonly number[]> {
  return (await snapshot.rows<{ id: number }>(IDS, [tags])).map(({ id }) => id);
}
