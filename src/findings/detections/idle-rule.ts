import { loadSql } from '../../platform/postgres/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { prepared } from '../fresh.js';

const SQL = prepared('idle-rule', loadSql(import.meta.url, 'idle-rule.sql'));
const KIND = 'idle-rule';
const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Rules that are watched at a time, the newest ones. */
const MOST_WATCHED = 500;

export const idleRule: Detection = {
  kind: KIND,
  severity: 'info',
  means: 'A rule has stopped nothing since it was ordered: it may name somebody else than was meant.',
  next: 'Check the name. Lift the rule if it is not needed.',
  looks: `Blocks that a person ordered on a user, client or agent over ${HOURS} hours ago, with no use or refusal since; revocations that name somebody of whom nothing was seen in ${HOURS} hours. The newest ${MOST_WATCHED} such rules.`,
  stop: [],
  see: 'rule',
  says: ({ details }) =>
    details['isUnknown'] === true
      ? `Rule ${String(details['rule'])} stops nothing: nobody called ${namesOf(details['selector'])} was ever seen.`
      : `Nobody has tried what rule ${String(details['rule'])} on ${namesOf(details['selector'])} stops.`,
  find: findIdle,
  isCondition: true,
};

interface Row extends Record<string, unknown> {
  readonly rule: string;
  readonly effect: string;
  readonly selector: object;
  readonly reason: string;
  readonly from_ix: string;
  readonly ordered_ms: string;
  readonly until_ms: string | null;
  readonly usr: number | null;
  readonly client: number | null;
  readonly agent: number | null;
  readonly lifted_ms: string | null;
  readonly met_ms: string | null;
  readonly known_ms: string | null;
}

/** A rule is watched from its entry on, until it ends or something meets it. It is idle if that takes longer than a day. */
async function findIdle({ snapshot, from, to, nowMs, memory }: Step): Promise<readonly Evidence[]> {
  const watched = await memory.read(KIND);
  const rows = await snapshot.rows<Row>(SQL, [String(from), String(to), [...watched.keys()]]);
  rows.slice(0, -MOST_WATCHED).forEach(({ rule }) => memory.keep(KIND, rule, null));
  return rows.slice(-MOST_WATCHED).flatMap((row) => {
    const idleMs = Number(row.ordered_ms) + HOURS * HOUR_MS;
    const ends = [row.lifted_ms, row.met_ms, row.until_ms, row.effect === 'revoke' ? row.known_ms : null];
    const endMs = Math.min(...ends.flatMap((ms) => (ms === null ? [] : [Number(ms)])));
    const ended = endMs <= nowMs;
    if (ended || !watched.has(row.rule)) memory.keep(KIND, row.rule, ended ? null : {});
    const untilMs = Math.min(endMs, nowMs);
    return untilMs < idleMs ? [] : [evidenceOf(row, untilMs, ended)];
  });
}

const evidenceOf = (row: Row, untilMs: number, ended: boolean): Evidence => ({
  subject: row.rule,
  usr: row.usr,
  client: row.client,
  agent: row.agent,
  count: 1,
  first_at: Math.floor(Number(row.ordered_ms) / 1_000),
  last_at: Math.floor(untilMs / 1_000),
  entries: [row.from_ix],
  ended,
  details: { rule: row.rule, reason: row.reason, selector: row.selector, isUnknown: row.known_ms === null },
});

/** Says whom a selector names. */
const namesOf = (selector: unknown): string =>
  Object.values(selector as Record<string, string | Readonly<Record<string, string>>>)
    .map((member) => (typeof member === 'string' ? member : (member['sub'] ?? member['client_id'] ?? member['id'])))
    .join(', ');
