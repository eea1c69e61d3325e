import { loadSql, type PoolClient } from '../platform/postgres/index.js';
import { ENTITY_KINDS } from '../projections/index.js';
import { ERASED_PREFIX, ruleKeyToBytes, userKey, type Parts } from '../rules/index.js';
import type { PersonNames } from './person.js';

const FIND_NAMES = loadSql(import.meta.url, 'find-names.sql');

type Querying = Pick<PoolClient, 'query'>;

export interface FoundNames extends PersonNames {
  /** Names that other users have too: they are not this person's alone, and stay. */
  readonly shared: readonly Parts[];
}

/**
 * Finds everything by which a person is named: the user, the user of the identity provider that stands behind a local name, the local names that are this
 * user's alone, and what the directory says of them.
 */
export async function findPersonNames(
  client: Querying,
  { tenant, tenantKey, user }: { readonly tenant: string; readonly tenantKey: Uint8Array; readonly user: Parts },
): Promise<FoundNames> {
  const users = new Map<string, Parts>([[userKey(tenantKey, user), user]]);
  const shared = new Map<string, Parts>();
  const root = await findRoot(client, tenant, Buffer.from(userKey(tenantKey, user), 'latin1'));
  if (root !== undefined) {
    if (!isErased(root.parts)) users.set(userKey(tenantKey, root.parts), root.parts);
    const locals = await findLocals(client, tenant, root.id);
    const ids = [root.id, ...locals.filter((one) => !one.shared).map(({ id }) => id)];
    const stated = await findStated(client, tenant, ids);
    for (const { parts, shared: isShared } of [...locals, ...stated])
      if (!isErased(parts)) (isShared ? shared : users).set(userKey(tenantKey, parts), parts);
  }
  // A name that one place shows as shared is nobody's alone.
  for (const key of shared.keys()) if (key !== userKey(tenantKey, user)) users.delete(key);
  const parts = [...users.values()];
  return { users: parts, texts: await findTexts(client, tenant, tenantKey, parts), shared: [...shared.values()] };
}

const isErased = (parts: Parts): boolean => parts.at(-1)!.startsWith(ERASED_PREFIX);

interface FoundUser {
  readonly id: number;
  readonly parts: Parts;
}

/** The user, or the one user of an identity provider whose local name it is. */
async function findRoot(client: Querying, tenant: string, key: Buffer): Promise<FoundUser | undefined> {
  const { rows } = await client.query<FoundUser & { readonly idp: FoundUser | null }>(
    `SELECT e.id, e.parts, (
       SELECT CASE WHEN count(*) = 1 THEN min(jsonb_build_object('id', i.id, 'parts', i.parts)::text)::jsonb END
       FROM alias a JOIN entity i ON i.tenant = $1 AND i.id = a.idp WHERE a.tenant = $1 AND a.local = e.id) AS idp
     FROM entity e WHERE e.tenant = $1 AND e.kind = $2 AND e.key = $3`,
    [tenant, ENTITY_KINDS.user, key],
  );
  return rows[0]?.idp ?? rows[0];
}

async function findLocals(
  client: Querying,
  tenant: string,
  root: number,
): Promise<(FoundUser & { readonly shared: boolean })[]> {
  const { rows } = await client.query<FoundUser & { readonly shared: boolean }>(
    `SELECT e.id, e.parts, EXISTS (SELECT FROM alias b WHERE b.tenant = $1 AND b.local = a.local AND b.idp <> $2) AS shared
     FROM alias a JOIN entity e ON e.tenant = $1 AND e.id = a.local WHERE a.tenant = $1 AND a.idp = $2`,
    [tenant, root],
  );
  return rows;
}

async function findStated(client: Querying, tenant: string, ids: readonly number[]) {
  type Row = { readonly iss: string; readonly claim: string | null; readonly sub: string; readonly shared: boolean };
  const { rows } = await client.query<Row>(FIND_NAMES, [tenant, ids]);
  return rows.map(({ iss, claim, sub, shared }) => ({ parts: [iss, claim, sub] as Parts, shared }));
}

/** The names and addresses that the directory has of the person. */
async function findTexts(
  client: Querying,
  tenant: string,
  tenantKey: Uint8Array,
  users: readonly Parts[],
): Promise<string[]> {
  const keys = users.map((parts) => ruleKeyToBytes(userKey(tenantKey, parts)));
  const { rows } = await client.query<{ texts: (string | null)[] }>(
    'SELECT emails || ARRAY[display_name, user_name] AS texts FROM directory WHERE tenant = $1 AND kind = $2 AND key = ANY ($3::bytea[])',
    [tenant, ENTITY_KINDS.user, keys],
  );
  return [...new Set(rows.flatMap(({ texts }) => texts).filter((text) => text !== null))];
}
