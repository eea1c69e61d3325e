import { loadSql } from '../../platform/postgres/index.js';
import type { Prepared } from '../../projections/index.js';
import { ruleKey, ruleKeyToBytes, tokenParts } from '../../rules/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { prepared } from '../fresh.js';

const ACCEPTED = prepared('id-jag-replayed', loadSql(import.meta.url, 'id-jag-replayed.sql'));
const REFUSED = prepared('id-jag-refused', loadSql(import.meta.url, 'id-jag-refused.sql'));
/** Finds the first access token of each ID-JAG. */
const TRADED: Prepared = {
  name: 'finding-id-jag-traded',
  text: `SELECT DISTINCT ON (t.id_jag_key) encode(t.id_jag_key, 'hex') AS id_jag, t.ix, t.usr, t.client, t.agent, t.res[1] AS res
    FROM unnest($3::text[]) AS k (key)
    JOIN token t ON t.tenant = $1 AND t.id_jag_key = decode(k.key, 'hex') AND t.ix < $2::bigint AND t.facts ->> 'kind' = 'access'
    ORDER BY t.id_jag_key, t.ix`,
};

export const idJagReplayed: Detection = {
  kind: 'id-jag-replayed',
  severity: 'high',
  means:
    'An ID-JAG was presented a second time: somebody has a copy of it, or an authorization server takes one twice.',
  next: 'Find out who presented it. Stop the user’s tokens of that client.',
  looks:
    'A second access token of one ID-JAG without a refresh token; a refused presentation of an ID-JAG that an access token was issued for, or that the refusal calls a replay.',
  stop: [['user', 'client']],
  see: 'entries',
  says: ({ count, client, user, details }) =>
    details['how'] === 'accepted'
      ? `${client} got ${count} further tokens of one ID-JAG for ${user}.`
      : `An ID-JAG was presented again and refused, ${count} times.`,
  find: findReplays,
};

interface Refused {
  readonly ix: string;
  readonly source: string;
  readonly iss: string;
  readonly jti: string | null;
  readonly sha256: string | null;
  readonly at: string;
  readonly is_new: boolean;
  readonly is_said: boolean;
}

interface Traded extends Pick<Evidence, 'usr' | 'client' | 'agent' | 'res'> {
  readonly id_jag: string;
  readonly ix: string;
}

async function findReplays({ snapshot, tenant, control, from, to }: Step): Promise<readonly Evidence[]> {
  const range = [String(from), String(to)];
  const accepted = await snapshot.rows<Evidence>(ACCEPTED, range);
  const refused = await snapshot.rows<Refused>(REFUSED, range);
  if (refused.length === 0) return accepted;
  const tenantKey = control.tenantKey(tenant);
  const keyed = refused.map((one) => ({ ...one, id_jag: keyOf(tenantKey, one) }));
  const traded = await snapshot.rows<Traded>(TRADED, [String(to), keyed.flatMap(({ id_jag }) => id_jag ?? [])]);
  const byKey = new Map(traded.map((one) => [one.id_jag, one]));
  return [...accepted, ...keyed.flatMap((one) => evidenceOf(one, byKey.get(one.id_jag ?? ''), from) ?? [])];
}

const keyOf = (tenantKey: Uint8Array, { iss, jti, sha256 }: Refused): string | undefined => {
  const ref = jti !== null ? { iss, jti } : sha256 !== null ? { sha256 } : undefined;
  return ref && ruleKeyToBytes(ruleKey(tenantKey, 'id_jag', tokenParts(ref))).toString('hex');
};

/** A refusal counts once: in its own step, or in that of the token that came after it. */
function evidenceOf(
  { id_jag, source, jti, ix, at, is_new, is_said }: Refused & { readonly id_jag: string | undefined },
  token: Traded | undefined,
  from: bigint,
): Evidence | undefined {
  const isReplay = is_new
    ? is_said || token !== undefined
    : !is_said && token !== undefined && BigInt(token.ix) >= from;
  if (!isReplay) return undefined;
  return {
    subject: `denied ${source} ${id_jag ?? ix}`,
    usr: token?.usr ?? null,
    client: token?.client ?? null,
    agent: token?.agent ?? null,
    res: token?.res ?? null,
    count: 1,
    first_at: at,
    last_at: at,
    entries: [ix],
    details: { how: 'refused', jti },
  };
}
