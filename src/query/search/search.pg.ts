import { timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { type Ask, ENTITY_KINDS, type Snapshot } from '../../projections/index.js';
import { maySeePayloads } from '../../registry/index.js';
import { ruleKey, ruleKeyToBytes } from '../../rules/index.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { readDisplayNames } from '../ask/names.pg.js';
import {
  inconsistent,
  invalid,
  MAX_ENTITY_ID,
  needBeside,
  readLimit,
  readParameters,
  type Parameters,
} from '../ask/parameters.js';
import type { Asker } from '../ask/documented.controller.js';
import type { Reader } from '../ask/reader.js';
import { SEARCHED, type SearchAnswer, type SearchItem } from './answers.js';
import { refuseTokens } from './refuse-tokens.js';

const NAMES = loadSql(import.meta.url, 'by-name.sql');
const COMMON_PARTS = loadSql(import.meta.url, 'by-common-part.sql');
const PARTS = loadSql(import.meta.url, 'by-part.sql');
/** Characters from which on a text is looked for within names. */
const MIN_PART = 3;
const isPart = (text: string): boolean => [...text].length >= MIN_PART;
/** Names of a kind that have a text within them, of which the first by name are shown. */
const MAX_PARTS_READ = 1_000;
/** The first names of a kind, which are looked through before the index of parts: some milliseconds for all kinds. */
const FIRST_NAMES = 500;
const DIRECTORY = loadSql(import.meta.url, 'by-directory.sql');
const TOKENS = loadSql(import.meta.url, 'by-token-key.sql');
const ENTITY =
  'SELECT id, kind, parts, from_ix, true AS exact FROM entity WHERE tenant = $1 AND id = $2 AND from_ix < $3::bigint';
/** Lists the issuers of all tokens and ID-JAGs: each names a client of its issuer. */
const ISSUERS =
  'SELECT DISTINCT parts ->> 0 AS iss FROM entity WHERE tenant = $1 AND kind = 2 AND from_ix < $2::bigint';
/** Reads when the uses were that first named an address or a route. */
const FIRST_USES = 'SELECT ix, at FROM access WHERE tenant = $1 AND ix = ANY ($2::bigint[])';
/** Before every use, for names whose first use only the archive has. */
const BEFORE_ALL_USES = '2000-01-01T00:00:00Z';
const ENTRY = 'SELECT ix, type FROM entry WHERE tenant = $1 AND ix = $2 AND ix < $3::bigint';

export const SEARCH_PARAMETERS = ['q', 'iss', 'jti', 'as_of', 'limit'] as const;

/** Codes of the kinds that are searched, in the order in which they are shown. */
type Codes = readonly number[];
const CODES: Codes = SEARCHED.map((kind) => ENTITY_KINDS[kind]);

const INDEX = /^(?:0|[1-9][0-9]{0,17})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEY = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const HEX_DIGEST = /^[0-9A-Fa-f]{64}$/;

/**
 * Finds what a name, id or digest stands for; exact matches come first. A token is found by its digest, or by `iss` and
 * `jti`, never by its text.
 */
export function createSearchQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (asker: Asker, query: unknown): Promise<SearchAnswer> => {
    refuseTokens(query);
    const { tenant } = asker;
    const codes = maySeePayloads(asker) ? CODES : CODES.filter((code) => code !== ENTITY_KINDS.address);
    const parameters = readParameters(query, SEARCH_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const limit = readLimit(parameters);
    const asked = readAsOf(parameters);
    const text = readText(parameters);
    const keys =
      text === undefined
        ? keysOfName(tenantKey, needBeside(parameters, 'iss'), needBeside(parameters, 'jti'))
        : keysOfText(tenantKey, text);

    return ask(
      tenant,
      async (snapshot) => {
        const found: SearchItem[] = [];
        if (keys !== undefined) found.push(...(await findTokens(snapshot, keys, limit)));
        if (text !== undefined) {
          found.push(...findRegistered(reader, tenant, text));
          if (INDEX.test(text)) found.push(...(await findByNumber(snapshot, text, codes)));
          found.push(...(await findByJti(snapshot, tenantKey, text, limit)));
          found.push(...(await findNames(snapshot, text, limit, codes)));
        }
        const distinct = found.filter(
          (item, nth) => found.findIndex(({ kind, id }) => kind === item.kind && id === item.id) === nth,
        );
        const items = distinct
          .toSorted((one, other) => Number(other.match === 'exact') - Number(one.match === 'exact'))
          .slice(0, limit);
        return {
          as_of: asOfOf(snapshot),
          items: await withDisplayNames(snapshot, await withUses(snapshot, items)),
          at_least: distinct.length > limit,
        };
      },
      asked,
    );
  };
}

function readText(parameters: Parameters): string | undefined {
  const text = parameters.get('q')?.trim();
  if (text === undefined) return undefined;
  if (text === '') throw invalid('`q` is empty');
  if (parameters.has('iss') || parameters.has('jti')) throw inconsistent('give `q`, or `iss` and `jti`');
  return text;
}

interface TokenKeys {
  readonly tokens: readonly Buffer[];
  readonly idJags: readonly Buffer[];
}

const keysOfName = (tenantKey: Uint8Array, ...parts: readonly string[]): TokenKeys => ({
  tokens: [ruleKeyToBytes(ruleKey(tenantKey, 'token', parts))],
  idJags: [ruleKeyToBytes(ruleKey(tenantKey, 'id_jag', parts))],
});

/** Returns the keys of a digest (base64url or hexadecimal), or the key that other answers give. */
function keysOfText(tenantKey: Uint8Array, text: string): TokenKeys | undefined {
  if (KEY.test(text)) return { tokens: [Buffer.from(text, 'base64url')], idJags: [Buffer.from(text, 'base64url')] };
  const digest = HEX_DIGEST.test(text) ? Buffer.from(text, 'hex').toString('base64url') : text;
  return DIGEST.test(digest) ? keysOfName(tenantKey, digest) : undefined;
}

interface TokenRow {
  readonly [column: string]: unknown;
  readonly kind: 'token' | 'id_jag';
  readonly lineage: boolean;
  readonly key: Buffer;
  readonly ix: string;
  readonly iss: string | null;
  readonly name: string | null;
}

async function findTokens(snapshot: Snapshot, { tokens, idJags }: TokenKeys, limit: number): Promise<SearchItem[]> {
  const rows = await snapshot.rows<TokenRow>(TOKENS, [tokens, idJags, String(snapshot.index), limit + 1]);
  return rows.map(({ kind, lineage, key, ix, iss, name }) => {
    const id = key.toString('base64url');
    const see = kind === 'token' ? `/v1/tokens/${id}` : `/v1/entries/${ix}`;
    return { kind, match: lineage ? 'lineage' : 'exact', id, name: name ?? id, iss, first_seen: ix, see };
  });
}

/** Finds tokens and ID-JAGs by `jti` alone: by the identity that it has at each issuer. */
async function findByJti(snapshot: Snapshot, tenantKey: Uint8Array, jti: string, limit: number): Promise<SearchItem[]> {
  const issuers = await snapshot.rows<{ iss: string }>(ISSUERS, [String(snapshot.index)]);
  const keys = issuers.map(({ iss }) => keysOfName(tenantKey, iss, jti));
  const found = await findTokens(
    snapshot,
    { tokens: keys.flatMap(({ tokens }) => tokens), idJags: keys.flatMap(({ idJags }) => idJags) },
    limit,
  );
  return found.slice(0, limit + 1);
}

/** Finds rules and sources as they are now. */
function findRegistered(reader: Reader, tenant: string, text: string): SearchItem[] {
  const lower = text.toLowerCase();
  const rule = UUID.test(lower) ? reader.rules(tenant).get(lower) : undefined;
  const rules: SearchItem[] =
    rule === undefined
      ? []
      : [
          {
            kind: 'rule',
            match: 'exact',
            id: rule.id,
            name: rule.id,
            iss: null,
            first_seen: null,
            see: `/v1/revocations/${rule.id}`,
          },
        ];
  const sources = reader.sources(tenant).flatMap(({ id, name, uri }): SearchItem[] => {
    const names = [id, name, uri.toLowerCase()];
    const isPrefix = names.some((one) => one.startsWith(lower));
    if (!isPrefix && !(isPart(lower) && names.some((one) => one.includes(lower)))) return [];
    return [
      {
        kind: 'source',
        match: names.includes(lower) ? 'exact' : isPrefix ? 'prefix' : 'part',
        id,
        name,
        iss: null,
        first_seen: null,
        see: `/v1/sources/${name}/check`,
      },
    ];
  });
  return [...rules, ...sources];
}

async function findByNumber(snapshot: Snapshot, text: string, codes: Codes): Promise<SearchItem[]> {
  const [entry] = await snapshot.rows<{ ix: string; type: string }>(ENTRY, [text, String(snapshot.index)]);
  const entities =
    Number(text) <= MAX_ENTITY_ID ? await snapshot.rows<EntityRow>(ENTITY, [text, String(snapshot.index)]) : [];
  const entries: SearchItem[] = entry
    ? [
        {
          kind: 'entry',
          match: 'exact',
          id: entry.ix,
          name: entry.type,
          iss: null,
          first_seen: entry.ix,
          see: `/v1/entries/${entry.ix}`,
        },
      ]
    : [];
  return [...entries, ...entities.filter(({ kind }) => codes.includes(kind)).map((row) => entityItem(row, 'exact'))];
}

interface EntityRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly kind: number;
  readonly parts: readonly (string | null)[];
  readonly from_ix: string;
  readonly exact: boolean;
}

async function findNames(snapshot: Snapshot, text: string, limit: number, codes: Codes): Promise<SearchItem[]> {
  const literal = text.replaceAll(/[\\%_]/g, '\\$&');
  const part = isPart(text) ? `%${literal}%` : null;
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const query = words.length === 0 ? null : words.map((word) => `${word}:*`).join(' & ');
  const index = String(snapshot.index);
  const [named, listed, within] = await Promise.all([
    snapshot.rows<EntityRow>(NAMES, [text, `${literal}%`, codes, index, limit + 1]),
    snapshot.rows<EntityRow>(DIRECTORY, [text, `${literal}%`, query, index, limit + 1, part]),
    part === null ? [] : findParts(snapshot, { text, pattern: part, codes, limit }),
  ]);
  return [
    ...named.map((row) => entityItem(row, row.exact ? 'exact' : 'prefix')),
    ...listed.map((row) => entityItem(row, 'directory')),
    ...within.map((row) => entityItem(row, 'part')),
  ];
}

/** Finds names that have the text within them: a part that very many names of a kind have among its first names, any other by the index. */
async function findParts(
  snapshot: Snapshot,
  {
    text,
    pattern,
    codes,
    limit,
  }: { readonly text: string; readonly pattern: string; readonly codes: Codes; readonly limit: number },
): Promise<EntityRow[]> {
  const index = String(snapshot.index);
  const first = await snapshot.rows<EntityRow>(COMMON_PARTS, [pattern, codes, index, limit + 1, FIRST_NAMES]);
  const rare = codes.filter((code) => first.filter(({ kind }) => kind === code).length <= limit);
  const found = await snapshot.rows<EntityRow>(PARTS, [text, pattern, rare, index, limit + 1, MAX_PARTS_READ]);
  return [...first.filter(({ kind }) => !rare.includes(kind)), ...found].toSorted(
    (one, other) => codes.indexOf(one.kind) - codes.indexOf(other.kind),
  );
}

const TIMELINE_OF: readonly string[] = ['user', 'client', 'agent', 'resource'];
/** Returns the question that answers most about an entity. {@link withUses} replaces it for what only uses name. */
function seeOf(kind: string, id: number, name: string): string {
  return TIMELINE_OF.includes(kind)
    ? `/v1/timeline?${kind}=${id}`
    : `/v1/blast-radius?${kind}=${encodeURIComponent(name)}`;
}

const USE_FILTERS: Readonly<Record<string, string>> = { address: 'client_address', route: 'route' };

/** Points addresses and routes to all their accesses, from the use on that first named them. */
async function withUses(snapshot: Snapshot, items: readonly SearchItem[]): Promise<readonly SearchItem[]> {
  const found = items.filter(({ kind }) => USE_FILTERS[kind] !== undefined);
  if (found.length === 0) return items;
  const entries = found.map(({ first_seen: ix }) => ix!);
  const rows = await snapshot.rows<{ ix: string; at: string }>({ text: FIRST_USES, uses: () => [{ entries }] }, [
    entries,
  ]);
  const times = new Map(rows.map(({ ix, at }) => [ix, timeText(Number(at))]));
  return items.map((item) => {
    const filter = USE_FILTERS[item.kind];
    if (filter === undefined) return item;
    const from = times.get(item.first_seen!) ?? BEFORE_ALL_USES;
    return { ...item, see: `/v1/access?${filter}=${encodeURIComponent(item.name)}&from=${from}` };
  });
}

function entityItem({ id, kind: code, parts, from_ix }: EntityRow, match: SearchItem['match']): SearchItem {
  const kind = SEARCHED[CODES.indexOf(code)]!;
  const name = parts.at(-1)!;
  const tenant = kind === 'user' ? parts[1] : null;
  return {
    kind,
    match,
    id: String(id),
    name,
    iss: parts.length > 1 ? parts[0]! : null,
    ...(tenant == null ? {} : { tenant }),
    first_seen: from_ix,
    see: seeOf(kind, id, name),
  };
}

async function withDisplayNames(snapshot: Snapshot, items: readonly SearchItem[]): Promise<SearchItem[]> {
  const isEntity = ({ kind }: SearchItem): boolean => (SEARCHED as readonly string[]).includes(kind);
  const names = await readDisplayNames(
    snapshot,
    items.filter(isEntity).map(({ id }) => Number(id)),
  );
  return items.map((item) => {
    const name = isEntity(item) ? names.get(Number(item.id)) : undefined;
    return name === undefined ? item : { ...item, display_name: name };
  });
}
