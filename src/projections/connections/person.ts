/**
 * Returns SQL for the person behind a user: the IdP's name if the aliases below `index` tie this name to exactly one name of an IdP,
 * else the name itself. `usr` is a column of small ids. `$1` is the tenant.
 */
export const personOf = (usr: string, index: string): string =>
  `coalesce((SELECT min(a.idp) FROM alias a WHERE a.tenant = $1 AND a.local = ${usr} AND a.from_ix < ${index}::bigint HAVING count(*) = 1), ${usr})`;
