import { loadSql } from '../../platform/index.js';
import { asOfOf, momentFromCursor, momentToCursor, readAsOf } from '../as-of.js';
import { decodeCursor, encodeCursor, questionOf } from '../cursor.js';
import { readLimit, readParameters } from '../parameters.js';
import type { Reader, RegisteredSource } from '../reader.js';
import { readSequences, type SequenceRow } from '../sequences.pg.js';
import type { Ask, Snapshot } from '../snapshot.pg.js';
import type { CoverageAnswer, CoverageItem } from './answers.js';
import { bySeriousness, findingsOf } from './findings.js';
import { openBlockOf, readHeard, type Heard } from './heard.pg.js';

const USES = loadSql(import.meta.url, 'uses.sql');
const REFUSALS = loadSql(import.meta.url, 'refusals.sql');

export const COVERAGE_PARAMETERS = ['as_of', 'limit', 'cursor'] as const;

const REFUSED_WITHIN_S = 86_400;
/** Refused records that one answer counts. */
const MAX_REFUSALS = 50_000;
const MAX_FINDINGS = 100;
const NO_GAPS_SHOWN = 0;

/** What of each registered source is seen, and what is not. Registrations are those of now, whatever `as_of` is. */
export function createCoverageQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<CoverageAnswer> => {
    const parameters = readParameters(query, COVERAGE_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const limit = readLimit(parameters);
    const question = questionOf('coverage', parameters);
    const position = parameters.has('cursor') ? decodeCursor(tenantKey, question, parameters.get('cursor')!) : undefined;
    const asked = position ? momentFromCursor(position) : readAsOf(parameters);
    const after = position?.[2] ?? '';

    return ask(tenant, async (snapshot) => {
      const sources = reader.sources(tenant);
      const ids = sources.map(({ id }) => id);
      const heard = await readHeard(snapshot, ids);
      const used = await readUses(snapshot);
      const refused = await readRefusals(snapshot);
      const sequences = new Map((snapshot.present ? await readSequences(snapshot, NO_GAPS_SHOWN) : []).map((row) => [row.source, row]));
      const items = sources.map((source) =>
        itemOf(source, heard(source.id), used.get(source.id), refused.filter((row) => row.source === source.id), sequences.get(source.id)),
      );
      const findings = items.flatMap((item, nth) => findingsOf(item, sources[nth]!.profile.lineage, snapshot.at)).sort(bySeriousness);
      const rest = items.filter(({ source }) => source.name! > after);
      const shown = rest.slice(0, limit);
      const last = rest.length > limit ? shown.at(-1) : undefined;
      return {
        as_of: asOfOf(snapshot),
        findings: findings.slice(0, MAX_FINDINGS),
        findings_left_out: Math.max(0, findings.length - MAX_FINDINGS),
        refused_at_least: Number(refused[0]?.read ?? 0) === MAX_REFUSALS,
        items: shown,
        ...(last ? { next: encodeCursor(tenantKey, question, [...momentToCursor(snapshot), last.source.name!]) } : {}),
      };
    }, asked);
  };
}

function itemOf(
  { id, name, uri, disabled, types }: RegisteredSource,
  heard: Heard,
  used: UsesRow | undefined,
  refused: readonly RefusalRow[],
  sequence: SequenceRow | undefined,
): CoverageItem {
  const seen = new Map(heard.types.map((type) => [type.type, type]));
  const last = heard.types.reduce<Heard['types'][number] | undefined>((newest, one) => (newest && BigInt(newest.lastIndex) > BigInt(one.lastIndex) ? newest : one), undefined);
  const { issued, stated, arrived, parent } = heard.tokens;
  return {
    source: { id, name },
    uri,
    disabled,
    last: last
      ? {
          index: last.lastIndex,
          type: last.type,
          at: last.lastDelay === null ? null : Math.floor((last.lastArrival - last.lastDelay) / 1000),
          arrival: Math.floor(last.lastArrival / 1000),
        }
      : null,
    events: heard.types.reduce((sum, type) => sum + type.events, 0),
    types: [...new Set([...types, ...seen.keys()])].map((type) => ({ type, events: seen.get(type)?.events ?? 0, last: seen.get(type)?.lastIndex ?? null })),
    never_sent: types.filter((type) => !seen.has(type)),
    sequence: sequence
      ? {
          first: Number(sequence.first),
          last: Number(sequence.last),
          missing: Number(sequence.missing),
          repeated: Number(sequence.repeated),
          given_up: Number(sequence.given_up),
        }
      : null,
    clock: heard.clock,
    tokens: { issued, id_jag_arrived: arrived, id_jag_stated: stated - arrived, parent_only: parent, none: issued - stated - parent },
    uses: { count: Number(used?.came ?? 0), attributed: Number(used?.attributed ?? 0) },
    refused: refused.map(({ code, n }) => ({ code, count: Number(n) })),
  };
}

interface UsesRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly came: string;
  readonly attributed: string;
}

async function readUses(snapshot: Snapshot): Promise<ReadonlyMap<string, UsesRow>> {
  const rows = await snapshot.rows<UsesRow>(USES, [openBlockOf(snapshot), String(snapshot.index)]);
  return new Map(rows.map((row) => [row.source, row]));
}

interface RefusalRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly code: string;
  readonly n: string;
  readonly read: string;
}

const readRefusals = ({ rows, at }: Snapshot): Promise<RefusalRow[]> => rows<RefusalRow>(REFUSALS, [at + 1 - REFUSED_WITHIN_S, at + 1, MAX_REFUSALS]);
