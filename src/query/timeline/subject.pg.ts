import { ruleKey, ruleKeyToBytes } from '../../rules/index.js';
import { LEAD_OF_ALL, type Snapshot } from '../../projections/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { resolveFilter } from '../ask/names.pg.js';
import { FILTER_PARAMETERS, inconsistent, type Parameters } from '../ask/parameters.js';

/** The entity that a timeline is about. */
export interface Subject {
  readonly kind: FilterKind;
  /** All its names. */
  readonly ids: readonly number[];
  /** Rule keys of its names and, for a user, of its sessions. */
  readonly keys: readonly Buffer[];
  /** First keys of rules on its issuers alone, and on everything. */
  readonly leads: readonly Buffer[];
}

const KINDS = ['user', 'client', 'agent', 'resource'] as const;
const KEYS = {
  name: 'timeline-keys',
  text: `SELECT kind = 5 AS has_no_issuer, parts ->> 0 AS iss, key FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])
    UNION ALL
    SELECT true, NULL, key FROM session WHERE tenant = $1 AND usr = ANY ($2) AND from_ix < $3::bigint`,
};

/** Says which kind the question names. Throws `inconsistent-request` unless it names one. */
export function readSubjectKind(parameters: Parameters): FilterKind {
  const [kind, other] = KINDS.filter((one) => FILTER_PARAMETERS[one].some((name) => parameters.has(name)));
  if (kind === undefined || other !== undefined)
    throw inconsistent('a timeline is of one user, client, agent or resource: name one of them');
  return kind;
}

export async function findSubject(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  parameters: Parameters,
  kind: FilterKind,
): Promise<Subject> {
  const ids = (await resolveFilter(snapshot, tenantKey, parameters, kind))!;
  const rows = await snapshot.rows<KeyRow>(KEYS, [ids, String(snapshot.index)]);
  const issuers = new Set(rows.flatMap(({ has_no_issuer: none, iss }) => (none ? [] : [iss!])));
  return {
    kind,
    ids,
    keys: rows.map(({ key }) => key),
    leads: [...[...issuers].map((iss) => ruleKeyToBytes(ruleKey(tenantKey, 'issuer', [iss]))), LEAD_OF_ALL],
  };
}

interface KeyRow {
  readonly [column: string]: unknown;
  readonly has_no_issuer: boolean;
  readonly iss: string | null;
  readonly key: Buffer;
}
