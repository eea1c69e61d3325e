/**
 * SQL for the person that a user is: the IdP's name where events tie this name of a RAS to it alone, else the name itself. `usr` is a column of
 * small ids; `index` bounds the ties. `$1` is the tenant.
 */
export const personOf = (usr: string, index: string): string =>
  `coalesce((SELECT min(a.idp) FROM alias a WHERE a.tenant = $1 AND a.local = ${usr} AND a.from_ix < ${index}::bigint HAVING count(*) = 1), ${usr})`;
