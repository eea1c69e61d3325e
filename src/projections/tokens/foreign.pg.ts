import type { Pool } from 'pg';
import type { TokenIssued } from '../../contracts/index.js';
import { byteaArray, textArray, uuidArray } from '../../platform/postgres/index.js';
import { ruleKey, ruleKeyToBytes, tokenParts, tokenRef } from '../../rules/index.js';

const FIND = `
  SELECT w.nth FROM unnest($1::uuid[], $2::bytea[], $3::text[]) WITH ORDINALITY AS w (tenant, key, iss, nth)
  JOIN token t ON t.tenant = w.tenant AND t.key = w.key WHERE t.facts ->> 'iss' <> w.iss`;

export interface Announced {
  readonly tenant: string;
  readonly tenantKey: Uint8Array;
  readonly data: TokenIssued;
}

/**
 * Finds tokens announced by a digest under which another issuer has announced a token, in the tables or earlier in the list. Anybody
 * who has seen a token knows its digest, so this is not a contradiction: the first announcement counts. Announcements that another
 * process is writing at the same moment are not seen.
 */
export async function findForeignTokens<T extends Announced>(
  pool: Pool,
  announced: readonly T[],
): Promise<ReadonlySet<T>> {
  const named = announced
    .filter(({ data }) => data.jti === undefined)
    .map((one) => ({ one, iss: one.data.iss, key: keyOf(one) }));
  if (named.length === 0) return new Set();
  const { rows } = await pool.query<{ nth: string }>(FIND, [
    uuidArray(named.map(({ one }) => one.tenant)),
    byteaArray(named.map(({ key }) => key)),
    textArray(named.map(({ iss }) => iss)),
  ]);
  const foreign = new Set(rows.map(({ nth }) => named[Number(nth) - 1]!.one));
  const first = new Map<string, string>();
  for (const { one, iss, key } of named) {
    if (foreign.has(one)) continue;
    const name = `${one.tenant} ${key.toString('latin1')}`;
    if (!first.has(name)) first.set(name, iss);
    else if (first.get(name) !== iss) foreign.add(one);
  }
  return foreign;
}

const keyOf = ({ tenantKey, data }: Announced): Buffer =>
  ruleKeyToBytes(ruleKey(tenantKey, 'token', tokenParts(tokenRef(data))));
