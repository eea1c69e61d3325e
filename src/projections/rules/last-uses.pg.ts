import type { QueryResultRow } from 'pg';
import { loadSql } from '../../platform/postgres/index.js';
import { KEPT_S } from '../../rules/index.js';
import type { TenantRows } from './read.pg.js';

const LAST_USES = { name: 'last-uses', text: loadSql(import.meta.url, 'last-uses.sql') };

/** A rule whose selector names a token, an ID-JAG or a session. */
export interface UsedRule {
  readonly rule: string;
  /** Last known use, epoch seconds: the time of its order, or of a recording with it. */
  readonly lastUse: number;
}

/**
 * Finds when the ledger last recorded something with the identity that each rule names (epoch seconds, rounded up), below `index` if
 * it is given. A recording more than `KEPT_S` after the one before it does not count, nor do later ones. Rules without a ledger
 * entry yet are left out.
 */
export async function lastUsesOf(
  rows: TenantRows,
  rules: readonly UsedRule[],
  index?: bigint,
): Promise<ReadonlyMap<string, number>> {
  const found = await rows<LastUseRow>(LAST_USES, [
    rules.map(({ rule }) => rule),
    rules.map(({ lastUse }) => lastUse * 1_000),
    KEPT_S * 1_000,
    index === undefined ? null : String(index),
  ]);
  return new Map(found.map(({ rule, last_ms: lastMs }) => [rule, Math.ceil(Number(lastMs) / 1_000)]));
}

interface LastUseRow extends QueryResultRow {
  readonly rule: string;
  readonly last_ms: string;
}
