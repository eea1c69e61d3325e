import { timeText } from '../../contracts/index.js';
import { byteaArray, loadSql } from '../../platform/postgres/index.js';
import type { Snapshot, StoredLineage } from '../../projections/index.js';
import { ruleKeyFromBytes } from '../../rules/index.js';
import { readLineages } from '../../selection/index.js';
import { isCut } from '../ask/answer-parts.js';
import { orNull } from '../ask/names.pg.js';
import type { Reader } from '../ask/reader.js';
import type { TokenAnswer } from './answers.js';

const EXCHANGED = { name: 'token-exchanged', text: loadSql(import.meta.url, 'exchanged.sql') };
const USES = { name: 'token-exchanged-uses', text: loadSql(import.meta.url, 'exchanged-uses.sql') };
const TOKEN = 1;
/** Twice the hops of a lineage: an ID-JAG counts as one here. */
const MAX_HOPS = 16;
const MAX_SHOWN = 50;

/** Says which rules stop each of some tokens. */
type FindStopping = (lineages: readonly StoredLineage[]) => Promise<readonly (readonly string[])[]>;

/** Reads what came from a token: ID-JAGs and tokens, with the uses of each token and the rules that stop it. */
export async function readExchanged(
  snapshot: Snapshot,
  reader: Reader,
  key: Buffer,
  findStopping: FindStopping,
): Promise<TokenAnswer['exchanged']> {
  const { index } = snapshot;
  const rows = await snapshot.rows<ExchangedRow>(EXCHANGED, [key, String(index), MAX_HOPS, 2 * MAX_SHOWN + 1]);
  // The longer way to a token tells more.
  const found = [...new Map(rows.map((row) => [row.key.toString('base64url'), row])).entries()];
  const shown = found.filter(([, row]) => !row.key.equals(key)).slice(0, MAX_SHOWN);
  const tokens = shown.flatMap(([, row]) => (row.kind === TOKEN ? [row.key] : []));
  if (shown.length === 0) return { items: [] };
  const uses = await snapshot.rows<UsesRow>({ ...USES, uses: () => [{ index, tok: tokens }] }, [
    byteaArray(tokens),
    String(index),
  ]);
  const lineages = await readLineages(snapshot, reader.tenantKey(snapshot.tenant), tokens.map(ruleKeyFromBytes));
  const stopping = await findStopping(lineages);
  const usesOf = new Map(uses.map((row) => [row.key.toString('base64url'), row]));
  const stoppingOf = new Map(tokens.map((token, nth) => [token.toString('base64url'), stopping[nth]!]));
  return {
    items: shown.map(([id, row]) => {
      const { accesses, allowed, last } = usesOf.get(id) ?? { accesses: '0', allowed: '0', last: null };
      return {
        kind: row.kind === TOKEN ? ('token' as const) : ('id_jag' as const),
        id,
        came_from: row.origin.toString('base64url'),
        index: row.ix,
        source: reader.source(row.source),
        facts: row.facts,
        conflict: row.conflict,
        accesses: {
          count: Number(accesses),
          allowed: Number(allowed),
          denied: Number(accesses) - Number(allowed),
          last: orNull(last, (at) => timeText(Number(at))),
        },
        stopped_by: (stoppingOf.get(id) ?? []).map((rule) => ({ rule })),
      };
    }),
    ...isCut(rows.length > 2 * MAX_SHOWN || found.length > MAX_SHOWN),
  };
}

interface ExchangedRow {
  readonly [column: string]: unknown;
  readonly kind: number;
  readonly key: Buffer;
  readonly origin: Buffer;
  readonly ix: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
  readonly conflict: boolean;
}

interface UsesRow {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly accesses: string;
  readonly allowed: string;
  readonly last: string | null;
}
