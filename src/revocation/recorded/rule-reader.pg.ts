import type { Pool } from 'pg';
import type { LiftRecord, RuleRecord, Seq } from '../../control/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { TURNED_MS, turnedBelow } from '../../projections/index.js';
import type { TokenRef } from '../../rules/index.js';

const LIST = loadSql(import.meta.url, 'list-rules.sql');
const READ = loadSql(import.meta.url, 'read-rule.sql');
const ENDS = {
  name: 'rule-ends',
  text: loadSql(import.meta.url, 'rule-ends.sql')
    .replace('{turned_ms}', () => TURNED_MS)
    .replace('{turned}', () => turnedBelow('9223372036854775807')),
};
const UNKNOWN_TOKENS = loadSql(import.meta.url, 'unknown-tokens.sql');

/** A rule as it was ordered, and its lift if it was lifted. */
export interface StoredRule {
  readonly seq: Seq;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly body: RuleRecord;
  readonly lift?: StoredLift;
}

export interface StoredLift extends LiftRecord {
  readonly seq: Seq;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Id of the `revoke` that the lift ordered. */
  readonly keptBy?: string;
}

/** The event that turned a block into a `revoke`. Times are epoch milliseconds. */
export interface EnablingEvent {
  readonly source: string;
  readonly event: string;
  /** Index of its entry in the ledger. */
  readonly entry: string;
  readonly atMs: number;
  /** Grants up to this time stay revoked. */
  readonly beforeMs: number;
}

export interface RuleReader {
  /** Reads rules, newest first, below `before` if it is given. */
  page(tenant: string, before: Seq | undefined, limit: number): Promise<readonly StoredRule[]>;
  find(tenant: string, id: string): Promise<StoredRule | undefined>;
  /** Reads the events that turned these blocks into revokes, as far as the ledger has them. */
  enablings(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, EnablingEvent>>;
  /** Reads tokens that the caller blocked for its clients and whose block ends after `now` (epoch seconds), ordered by that end. */
  unknownTokens(tenant: string, caller: string, now: number, limit: number): Promise<readonly UnknownToken[]>;
}

export interface UnknownToken {
  readonly token: TokenRef;
  readonly until: number;
  /** Number of selectors of the token's rules. */
  readonly selectors: number;
}

interface Row {
  seq: string;
  at: Date;
  body: RuleRecord;
  lifted_at: Date | null;
  lift: LiftRecord | null;
  lift_seq: string | null;
  kept_by: string | null;
}

export interface RuleReaderOptions {
  readonly pool: Pool;
}

export function createRuleReader({ pool }: RuleReaderOptions): RuleReader {
  return {
    async page(tenant, before, limit) {
      const { rows } = await pool.query<Row>(LIST, [tenant, before === undefined ? null : String(before), limit]);
      return rows.map(storedRule);
    },
    async find(tenant, id) {
      // PostgreSQL refuses NUL in a text, and no rule's id contains one.
      if (id.includes('\0')) return undefined;
      const { rows } = await pool.query<Row>(READ, [tenant, id]);
      return rows[0] && storedRule(rows[0]);
    },
    async enablings(tenant, ids) {
      if (ids.length === 0) return new Map();
      const { rows } = await pool.query<{
        rule: string;
        source: string;
        event_id: string;
        entry: string;
        at_ms: string;
        before_ms: string;
      }>({ ...ENDS, values: [tenant, ids] });
      return new Map(
        rows.map((row) => [
          row.rule,
          {
            source: row.source,
            event: row.event_id,
            entry: row.entry,
            atMs: Number(row.at_ms),
            beforeMs: Number(row.before_ms),
          },
        ]),
      );
    },
    async unknownTokens(tenant, caller, now, limit) {
      const { rows } = await pool.query<{ token: TokenRef; until: string; selectors: number }>(UNKNOWN_TOKENS, [
        tenant,
        caller,
        now,
        limit,
      ]);
      return rows.map(({ token, until, selectors }) => ({ token, until: Number(until), selectors }));
    },
  };
}

const storedRule = (row: Row): StoredRule => ({
  seq: BigInt(row.seq) as Seq,
  at: row.at.getTime(),
  body: row.body,
  ...(row.lift && row.lifted_at
    ? {
        lift: {
          ...row.lift,
          seq: BigInt(row.lift_seq!) as Seq,
          at: row.lifted_at.getTime(),
          ...(row.kept_by === null ? {} : { keptBy: row.kept_by }),
        },
      }
    : {}),
});
