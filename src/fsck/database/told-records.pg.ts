import { isDeepStrictEqual } from 'node:util';
import type { Pool } from '../../platform/postgres/index.js';
import type { Found } from './found.js';

const RECORDS = `
SELECT seq, kind, body, floor(extract(epoch FROM at))::bigint AS at FROM control_log
 WHERE tenant = $1 AND kind IN ('rule.ordered', 'rule.lifted') AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`;
const RECORDS_A_READ = 1_000;
const IS_ERASING = "SELECT FROM erasure WHERE tenant = $1 AND step <> 'done' LIMIT 1";

type Body = Readonly<Record<string, unknown>>;

interface RecordRow {
  readonly seq: string;
  readonly kind: string;
  readonly body: Body;
  /** Seconds. */
  readonly at: string;
}

/** Kinds of control records that entries tell: the type of the entry, the member of the record that names the rule, and the members that both have. */
const KINDS = [
  {
    kind: 'rule.ordered',
    type: 'dev.rescind.revocation.ordered.v1',
    does: 'orders',
    rule: 'id',
    same: [
      'effect',
      'selector',
      'or',
      'before',
      'until',
      'resume',
      'reauthenticate',
      'reason',
      'author',
      'after_lift_of',
    ],
  },
  {
    kind: 'rule.lifted',
    type: 'dev.rescind.revocation.lifted.v1',
    does: 'lifts',
    rule: 'rule',
    same: ['resume', 'reason', 'author'],
  },
] as const;

/** An entry that tells a control record. */
export interface TellingEntry {
  readonly ix: bigint;
  readonly type: string;
  /** Data of the event, or what is left of it after an erasure; undefined if it cannot be read. */
  readonly data: Body | undefined;
  /** Whether there is anything to read. */
  readonly isGone: boolean;
}

export const tellsOfRule = (entry: { readonly type: string; readonly source: string }, tenant: string): boolean =>
  entry.source === tenant && KINDS.some(({ type }) => type === entry.type);

/**
 * Compares orders and lifts of the control log with the entries that tell them, in both ways. Entries come in the order of their records, so
 * one walk over both finds what either lacks.
 */
export function createRecordCheck(session: Pick<Pool, 'query'>, tenant: string, found: Found) {
  let passed = 0n;
  /** Entries without anything to read, which are named where they are missed. Each accounts for one record. */
  let gone = 0;
  let orders = 0;
  let lifts = 0;

  const lacks = ({ seq, kind }: RecordRow): void => {
    if (gone > 0) gone -= 1;
    else found.add('control_log', `control_log ${seq}`, `${doesOf(kind)} a rule, which no entry of the ledger tells`);
  };

  async function recordsUpTo(seq: bigint): Promise<RecordRow[]> {
    const records: RecordRow[] = [];
    for (let read = RECORDS_A_READ; read === RECORDS_A_READ; ) {
      const { rows } = await session.query<RecordRow>(RECORDS, [tenant, String(passed), String(seq), RECORDS_A_READ]);
      read = rows.length;
      passed = read === RECORDS_A_READ ? BigInt(rows.at(-1)!.seq) : seq > passed ? seq : passed;
      records.push(...rows);
    }
    return records;
  }

  /** While a person is being erased, the name may be gone in one of the two and not yet in the other. */
  const isErasing = async (): Promise<boolean> => (await session.query(IS_ERASING, [tenant])).rowCount! > 0;

  return {
    get orders() {
      return orders;
    },
    get lifts() {
      return lifts;
    },
    async see(entries: readonly TellingEntry[]): Promise<void> {
      const told: { readonly ix: bigint; readonly type: string; readonly seq: bigint; readonly data: Body }[] = [];
      for (const { ix, type, data, isGone } of entries) {
        if (type === KINDS[0].type) orders += 1;
        else lifts += 1;
        const seq = /^\d{1,18}$/.exec(String(data?.['seq']))?.[0];
        if (isGone) gone += 1;
        else if (data === undefined || seq === undefined)
          found.add('control_log', `entry ${ix}`, 'tells of a rule, but not of which');
        else told.push({ ix, type, seq: BigInt(seq), data });
      }
      const last = told.at(-1);
      if (last === undefined) return;
      const records = new Map((await recordsUpTo(last.seq)).map((record) => [record.seq, record]));
      for (const { ix, type, seq, data } of told) {
        const record = records.get(String(seq));
        if (record === undefined)
          found.add('control_log', `entry ${ix}`, `tells of a rule that the control log does not have at ${seq}`);
        else if (!saysTheSame(type, data, record) && !(await isErasing()))
          found.add('control_log', `control_log ${seq}`, `${doesOf(record.kind)} another rule than entry ${ix} tells`);
        records.delete(String(seq));
      }
      for (const record of records.values()) lacks(record);
    },
    /** Looks for records up to `outbox`, the seq up to which they have entries. */
    async end(outbox: bigint): Promise<void> {
      if (passed > outbox)
        found.add('control_log', 'control_outbox', `is at ${outbox}, and entries tell records up to ${passed}`);
      for (const record of await recordsUpTo(outbox)) lacks(record);
    },
  };
}

const doesOf = (kind: string): string => KINDS.find((one) => one.kind === kind)!.does;

function saysTheSame(type: string, data: Body, { kind, body, at }: RecordRow): boolean {
  const of = KINDS.find((one) => one.type === type)!;
  return (
    kind === of.kind &&
    data['rule'] === body[of.rule] &&
    of.same.every((name) => isDeepStrictEqual(data[name], body[name])) &&
    // An order says its own times; a lift counts from the time of its record.
    (kind !== 'rule.lifted' || String(data['at']) === at)
  );
}
