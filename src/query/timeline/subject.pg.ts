import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { AGENT_TYPES, LEAD_OF_ALL, type Snapshot, type StoredLineage } from '../../projections/index.js';
import { ruleKey, ruleKeyFromBytes, ruleKeyToBytes } from '../../rules/index.js';
import { keysOf, readLineages } from '../../selection/index.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { resolveFilter } from '../ask/names.pg.js';
import { FILTER_PARAMETERS, inconsistent, readTokenId, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';

export type SubjectKind = FilterKind | 'token';

/** The entity or token that a timeline is about. */
export type Subject = {
  /** All names of the entity; of a token the users and clients of its lineage. */
  readonly ids: readonly number[];
  /** Rule keys of the entity's names and, for a user, of its sessions: rules that have one of them belong to the timeline. */
  readonly keys: readonly Buffer[];
  /** Rules that have these keys alone belong to the timeline too. */
  readonly within: readonly Buffer[];
  /** First keys of rules on its issuers alone, and on everything. */
  readonly leads: readonly Buffer[];
} & (
  | { readonly kind: FilterKind }
  | {
      readonly kind: 'token';
      readonly token: Buffer;
      /** Keys of the token and of the tokens and ID-JAGs that it came from. */
      readonly lineage: readonly Buffer[];
      /** Sessions of the lineage, as their issuers name them. */
      readonly sessions: readonly string[];
    }
);

const PARAMETERS_OF = { ...FILTER_PARAMETERS, token: ['token'] } as const satisfies Record<SubjectKind, unknown>;
export const SUBJECT_PARAMETERS = [
  ...PARAMETERS_OF.user,
  ...PARAMETERS_OF.client,
  ...PARAMETERS_OF.agent,
  ...PARAMETERS_OF.resource,
  ...PARAMETERS_OF.token,
] as const;

const KEYS = {
  name: 'timeline-keys',
  text: `SELECT kind = 5 AS has_no_issuer, parts ->> 0 AS iss, key FROM entity WHERE tenant = $1 AND id = ANY ($2::int[])
    UNION ALL
    SELECT true, NULL, key FROM session WHERE tenant = $1 AND usr = ANY ($2) AND from_ix < $3::bigint`,
};
const OF_GRANTS = loadSql(import.meta.url, 'of-grants.sql');
const OF_LINEAGE = loadSql(import.meta.url, 'of-lineage.sql');
const TYPES = `SELECT DISTINCT value FROM (${AGENT_TYPES}) t WHERE id = ANY ($3::int[])`;
const FIND_TOKEN = `SELECT EXISTS (SELECT FROM token WHERE tenant = $1 AND key = $2 AND ix < $3::bigint) AS announced,
  EXISTS (SELECT FROM access WHERE tenant = $1 AND tok = $2 AND ix < $3) AS used`;

/** Says which kind the question names. Throws `inconsistent-request` unless it names one. */
export function readSubjectKind(parameters: Parameters): SubjectKind {
  const kinds = Object.keys(PARAMETERS_OF) as SubjectKind[];
  const [kind, other] = kinds.filter((one) => PARAMETERS_OF[one].some((name) => parameters.has(name)));
  if (kind === undefined || other !== undefined)
    throw inconsistent('a timeline is of one user, client, agent, resource or token: name one of them');
  if (kind === 'token') readTokenId(parameters.get('token')!);
  return kind;
}

export async function findSubject(
  snapshot: Snapshot,
  reader: Reader,
  parameters: Parameters,
  kind: SubjectKind,
): Promise<Subject> {
  const tenantKey = reader.tenantKey(snapshot.tenant);
  if (kind === 'token') return findToken(snapshot, reader, tenantKey, readTokenId(parameters.get('token')!));
  const ids = (await resolveFilter(snapshot, tenantKey, parameters, kind))!;
  const { keys, issuers } = await readKeys(snapshot, tenantKey, ids);
  const around = await findAround(snapshot, kind, ids);
  const others = await readKeys(snapshot, tenantKey, around);
  const types = await readTypes(snapshot, tenantKey, [...ids, ...around]);
  const isAlone = around.length === 0 && types.length === 0;
  return {
    kind,
    ids,
    keys,
    within: isAlone ? [] : [...keys, ...issuers, ...others.keys, ...others.issuers, ...types],
    leads: [...issuers, LEAD_OF_ALL],
  };
}

/** Finds what a user has grants of: a rule on that alone stops the user too. */
async function findAround(snapshot: Snapshot, kind: FilterKind, ids: readonly number[]): Promise<readonly number[]> {
  if (kind !== 'user') return [];
  return (await snapshot.rows<{ id: number }>(OF_GRANTS, [ids, String(snapshot.index)])).map(({ id }) => id);
}

/** Reads the rule keys of entities and, for users, of their sessions, and those of the entities' issuers. */
async function readKeys(snapshot: Snapshot, tenantKey: Uint8Array, ids: readonly number[]) {
  if (ids.length === 0) return { keys: [], issuers: [] };
  const rows = await snapshot.rows<KeyRow>(KEYS, [ids, String(snapshot.index)]);
  const issuers = new Set(rows.flatMap(({ has_no_issuer: none, iss }) => (none ? [] : [iss!])));
  return {
    keys: rows.map(({ key }) => key),
    issuers: [...issuers].map((iss) => ruleKeyToBytes(ruleKey(tenantKey, 'issuer', [iss]))),
  };
}

/** Reads the rule keys of the types of agents; other entities have none. */
async function readTypes(snapshot: Snapshot, tenantKey: Uint8Array, ids: readonly number[]): Promise<Buffer[]> {
  const rows = await snapshot.rows<{ value: string }>(TYPES, [String(snapshot.index), ids]);
  return rows.map(({ value }) => ruleKeyToBytes(ruleKey(tenantKey, 'agent_type', [value])));
}

/** Finds a token by its key. Rejects with `not-found` if it was neither announced nor used. */
async function findToken(snapshot: Snapshot, reader: Reader, tenantKey: Uint8Array, token: Buffer): Promise<Subject> {
  const index = String(snapshot.index);
  const [found] = await snapshot.rows<{ announced: boolean; used: boolean }>(
    { text: FIND_TOKEN, uses: () => [{ index, tok: [token], most: { rows: 1, order: 'ledger' } }] },
    [token, index],
  );
  if (!found!.announced && !found!.used)
    throw new RescindError('not-found', { detail: 'this token has not been seen' });
  const [stored] = found!.announced ? await readLineages(snapshot, tenantKey, [ruleKeyFromBytes(token)]) : [];
  const lineage = stored === undefined ? [token] : membersOf(stored).map(({ key }) => ruleKeyToBytes(key));
  const stated = stored && keysOf(reader, tenantKey, stored);
  return {
    kind: 'token',
    token,
    lineage,
    sessions: stored === undefined ? [] : sessionsOf(stored),
    ids: (await snapshot.rows<{ id: number }>(OF_LINEAGE, [lineage, index])).map(({ id }) => id),
    keys: [],
    within: stated === undefined ? lineage : stated.sets.flat().map(ruleKeyToBytes),
    leads: [LEAD_OF_ALL],
  };
}

const membersOf = ({ tokens, idJags }: StoredLineage) => [...tokens, ...idJags];

const sessionsOf = ({ tokens, idJags }: StoredLineage): string[] =>
  [...tokens.flatMap(({ facts }) => [facts.sid, facts.id_jag?.sid]), ...idJags.map(({ facts }) => facts.sid)].filter(
    (sid) => sid !== undefined,
  );

interface KeyRow {
  readonly [column: string]: unknown;
  readonly has_no_issuer: boolean;
  readonly iss: string | null;
  readonly key: Buffer;
}
