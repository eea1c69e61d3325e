import type { Static } from 'typebox';
import { describeInactive, type InactiveReason, isInactiveReason, timeText } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot, StoredLineage } from '../../projections/index.js';
import type { INACTIVE } from '../ask/answer-parts.js';

const REFUSED_TOKEN = { name: 'refused-token', text: loadSql(import.meta.url, 'refused-token.sql') };

/** Returns the first reason for which the facts of a token make it inactive, for any caller and any text. */
export type JudgeToken = (tenant: string, lineage: StoredLineage) => InactiveReason | undefined;

type Because = Static<(typeof INACTIVE)['because']>;

/**
 * Says whether a token would be active, and if not, why. A mismatch, a wrong `typ` or a bad signature shows only in a
 * text of the token.
 */
export async function readInactive(
  snapshot: Snapshot,
  key: Buffer,
  lineage: StoredLineage,
  judge: JudgeToken | undefined,
): Promise<{ would_be_active: boolean | null; because: Because }> {
  if (!snapshot.present || judge === undefined) return { would_be_active: null, because: [] };
  const said = judge(snapshot.tenant, lineage);
  const rows = await snapshot.rows<RefusedRow>(REFUSED_TOKEN, [key]);
  const seen = rows.filter(({ reason }) => isInactiveReason(reason) && ONLY_TEXTS_SHOW.has(reason));
  const because = [
    ...(said === undefined ? [] : [{ ...reasonOf({ reason: said, member: null }), last: null }]),
    ...seen.map((row) => ({ ...reasonOf(row), last: timeText(Math.floor(Number(row.last_ms) / 1000)) })),
  ];
  const isSure = because.some(({ member }) => member !== 'signature');
  return { would_be_active: isSure ? false : because.length > 0 ? null : true, because };
}

/** Reasons that only texts show. Any other reason holds for a moment, and the facts say whether it still does. */
const ONLY_TEXTS_SHOW: ReadonlySet<InactiveReason> = new Set<InactiveReason>(['mismatch', 'unverified']);

export function reasonOf({ reason, member }: Reason): { reason: string; member: string | null; says: string } {
  return { reason, member, says: isInactiveReason(reason) ? describeInactive(reason, member) : reason };
}

interface Reason {
  readonly reason: string;
  readonly member: string | null;
}

interface RefusedRow extends Reason {
  readonly [column: string]: unknown;
  readonly last_ms: string;
}
