import { timeText, instantText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { type Ask, COUNTING_TIMEOUT_MS, MAX_COUNTED, type Snapshot } from '../../projections/index.js';
import { isCut } from '../ask/answer-parts.js';
import { asOfOf } from '../ask/as-of.js';
import { readPageAsOf } from '../ask/page.js';
import { readParameters } from '../ask/parameters.js';
import type { Reader, RegisteredSource } from '../ask/reader.js';
import { readSequences, type SequenceRow } from '../lists/sequences.pg.js';
import type { CoverageAnswer, CoverageItem } from './answers.js';
import { bySeriousness, findingsOf } from './findings.js';
import { readHeard, type Heard } from './heard.pg.js';
import { readUses, type SourceUses } from './uses.pg.js';

const REFUSALS = loadSql(import.meta.url, 'refusals.sql');

export const COVERAGE_PARAMETERS = ['as_of', 'limit', 'cursor'] as const;

const REFUSED_WITHIN_S = 86_400;
const MAX_FINDINGS = 100;

/**
 * Answers what is seen of each registered source, and what is not. Registrations are the current ones, whatever `as_of`
 * is.
 */
export function createCoverageQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, query: unknown): Promise<CoverageAnswer> => {
    const parameters = readParameters(query, COVERAGE_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const page = readPageAsOf('coverage', tenantKey, parameters);
    const after = page.after?.[0] ?? '';

    return ask(
      tenant,
      async (snapshot) => {
        const sources = reader.sources(tenant);
        const { heard, uses, refused, sequences } = await readSeen(
          snapshot,
          sources.map(({ id }) => id),
        );
        const items = sources.map((source) =>
          itemOf(
            source,
            heard(source.id),
            uses.get(source.id),
            refused.filter((row) => row.source === source.id),
            sequences.get(source.id),
          ),
        );
        const findings = items
          .flatMap((item, nth) => findingsOf(item, sources[nth]!.profile.lineage, snapshot.at))
          .sort(bySeriousness);
        const rest = items.filter(({ source }) => source.name! > after);
        const { shown, next } = page.cut(snapshot, rest, ({ source }) => [source.name!]);
        return {
          as_of: asOfOf(snapshot),
          findings: findings.slice(0, MAX_FINDINGS),
          findings_left_out: Math.max(0, findings.length - MAX_FINDINGS),
          items: shown,
          ...next,
        };
      },
      page.asked,
      { timeoutMs: COUNTING_TIMEOUT_MS },
    );
  };
}

function itemOf(
  { id, name, uri, disabled, types }: RegisteredSource,
  heard: Heard,
  used: SourceUses | undefined,
  refused: readonly Refused[],
  sequence: CoverageItem['sequence'] | undefined,
): CoverageItem {
  const seen = new Map(heard.types.map((type) => [type.type, type]));
  const last = heard.types.reduce<Heard['types'][number] | undefined>(
    (newest, one) => (newest && BigInt(newest.lastIndex) > BigInt(one.lastIndex) ? newest : one),
    undefined,
  );
  const { issued, stated, arrived, parent } = heard.tokens;
  return {
    source: { id, name },
    uri,
    disabled,
    last: last
      ? {
          index: last.lastIndex,
          type: last.type,
          at: last.lastDelay === null ? null : timeText(Math.floor((last.lastArrival - last.lastDelay) / 1000)),
          arrival: instantText(last.lastArrival),
        }
      : null,
    events: heard.types.reduce((sum, type) => sum + type.events, 0),
    types: [...new Set([...types, ...seen.keys()])].map((type) => ({
      type,
      events: seen.get(type)?.events ?? 0,
      last: seen.get(type)?.lastIndex ?? null,
    })),
    never_sent: types.filter((type) => !seen.has(type)),
    sequence: sequence ?? null,
    clock: heard.clock,
    tokens: {
      issued,
      id_jag_arrived: arrived,
      id_jag_stated: stated - arrived,
      parent_only: parent,
      none: issued - stated - parent,
    },
    uses: { count: used?.came ?? 0, attributed: used?.attributed ?? 0 },
    refused: refused.map(({ code, count, read }) => ({ code, count, ...isCut(read >= MAX_COUNTED) })),
  };
}

interface Refused {
  readonly source: string;
  readonly code: string;
  readonly count: number;
  /** Records counted over all sources and codes. */
  readonly read: number;
}

interface Seen {
  readonly heard: (source: string) => Heard;
  readonly uses: ReadonlyMap<string, SourceUses>;
  readonly refused: readonly Refused[];
  /** Empty for the past: sequences are kept for the present only. */
  readonly sequences: ReadonlyMap<string, CoverageItem['sequence']>;
}

async function readSeen(snapshot: Snapshot, sources: readonly string[]): Promise<Seen> {
  const end = snapshot.at + 1;
  const [heard, uses, refused, sequences] = await Promise.all([
    readHeard(snapshot, sources),
    readUses(snapshot),
    snapshot.rows<RefusalRow>(REFUSALS, [end - REFUSED_WITHIN_S, end, MAX_COUNTED]),
    snapshot.present ? readSequences(snapshot, 0) : [],
  ]);
  return {
    heard,
    uses,
    refused: refused.map(({ source, code, n, read }) => ({ source, code, count: Number(n), read: Number(read) })),
    sequences: new Map(sequences.map((row) => [row.source, sequenceOf(row)])),
  };
}

const sequenceOf = ({ first, last, missing, repeated, given_up }: SequenceRow): CoverageItem['sequence'] => ({
  first: Number(first),
  last: Number(last),
  missing: Number(missing),
  repeated: Number(repeated),
  given_up: Number(given_up),
});

interface RefusalRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly code: string;
  readonly n: string;
  readonly read: string;
}
