import type { Pool } from 'pg';
import type { LiftRecord, RuleRecord, Seq } from '../control/index.js';
import { loadSql } from '../platform/index.js';
import type { TokenRef } from '../rules/index.js';

const LIST = loadSql(import.meta.url, 'list-rules.sql');
const READ = loadSql(import.meta.url, 'read-rule.sql');
const UNKNOWN_TOKENS = loadSql(import.meta.url, 'unknown-tokens.sql');

/** A rule as it was ordered, and its lift if there was one. */
export interface StoredRule {
  readonly seq: Seq;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly body: RuleRecord;
  readonly lift?: LiftRecord & { readonly at: number };
}

export interface RuleReader {
  /** Newest first, those below `before` if it is given. */
  page(tenant: string, before: Seq | undefined, limit: number): Promise<readonly StoredRule[]>;
  find(tenant: string, id: string): Promise<StoredRule | undefined>;
  /** Tokens that the caller blocked for its clients and whose block ends after `now` (epoch seconds); first to end first. */
  unknownTokens(tenant: string, caller: string, now: number, limit: number): Promise<readonly UnknownToken[]>;
}

export interface UnknownToken {
  readonly token: TokenRef;
  readonly until: number;
  /** Number of selectors of its rules. */
  readonly selectors: number;
}

interface Row {
  seq: string;
  at: Date;
  body: RuleRecord;
  lifted_at: Date | null;
  lift: LiftRecord | null;
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
      const { rows } = await pool.query<Row>(READ, [tenant, id]);
      return rows[0] && storedRule(rows[0]);
    },
    async unknownTokens(tenant, caller, now, limit) {
      const { rows } = await pool.query<{ token: TokenRef; until: string; selectors: number }>(UNKNOWN_TOKENS, [tenant, caller, now, limit]);
      return rows.map(({ token, until, selectors }) => ({ token, until: Number(until), selectors }));
    },
  };
}

const storedRule = (row: Row): StoredRule => ({
  seq: BigInt(row.seq) as Seq,
  at: row.at.getTime(),
  body: row.body,
  ...(row.lift && row.lifted_at ? { lift: { ...row.lift, at: row.lifted_at.getTime() } } : {}),
});
