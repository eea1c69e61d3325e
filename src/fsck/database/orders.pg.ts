import { isDeepStrictEqual } from 'node:util';
import type { Pool } from '../../platform/postgres/index.js';
import type { Found } from './found.js';

const ORDERED = 'dev.rescind.revocation.ordered.v1';
const RULES = `
SELECT seq, body FROM control_log WHERE tenant = $1 AND kind = 'rule.ordered' AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`;
const RULES_A_READ = 1_000;

/** An entry that says which rule was ordered. */
export interface OrderEntry {
  readonly ix: bigint;
  /** Bytes of the event; undefined if they were erased. */
  readonly bytes: Buffer | undefined;
}

export const isOrder = (entry: { readonly type: string; readonly source: string }, tenant: string): boolean =>
  entry.type === ORDERED && entry.source === tenant;

/** Members of a control record that its entry repeats. */
const REPEATED = ['effect', 'selector', 'or', 'before', 'until', 'resume', 'reauthenticate', 'reason', 'after_lift_of'];

type Body = Readonly<Record<string, unknown>>;

/**
 * Compares the rules of the control log with the entries that tell them, in both ways. Entries come in the order of their records, so one
 * walk over both finds what either lacks.
 */
export function createOrderCheck(session: Pick<Pool, 'query'>, tenant: string, found: Found) {
  let passed = 0n;
  /** Entries that cannot be compared, because their payload was erased. Each accounts for one record without an entry. */
  let erased = 0;
  let orders = 0;

  const lacks = (seq: string): void => {
    if (erased > 0) erased -= 1;
    else found.add('control_log', `control_log ${seq}`, 'orders a rule that no entry of the ledger tells');
  };

  async function rulesUpTo(seq: bigint): Promise<{ seq: string; body: Body }[]> {
    const rules: { seq: string; body: Body }[] = [];
    for (let read = RULES_A_READ; read === RULES_A_READ; ) {
      const { rows } = await session.query<{ seq: string; body: Body }>(RULES, [
        tenant,
        String(passed),
        String(seq),
        RULES_A_READ,
      ]);
      read = rows.length;
      passed = read === RULES_A_READ ? BigInt(rows.at(-1)!.seq) : seq > passed ? seq : passed;
      rules.push(...rows);
    }
    return rules;
  }

  return {
    get orders() {
      return orders;
    },
    async see(entries: readonly OrderEntry[]): Promise<void> {
      const told: { readonly ix: bigint; readonly seq: bigint; readonly data: Body }[] = [];
      for (const { ix, bytes } of entries) {
        orders += 1;
        const data = bytes && dataOf(bytes);
        const seq =
          data && typeof data['seq'] === 'string' && /^\d{1,18}$/.test(data['seq']) ? BigInt(data['seq']) : undefined;
        if (bytes === undefined) erased += 1;
        else if (data === undefined || seq === undefined)
          found.add('control_log', `entry ${ix}`, 'tells of a rule, but not of which');
        else told.push({ ix, seq, data });
      }
      const last = told.at(-1);
      if (last === undefined) return;
      const rules = new Map((await rulesUpTo(last.seq)).map(({ seq, body }) => [seq, body]));
      for (const { ix, seq, data } of told) {
        const body = rules.get(String(seq));
        if (body === undefined)
          found.add('control_log', `entry ${ix}`, `tells of a rule that the control log does not have at ${seq}`);
        else if (!saysTheSame(data, body))
          found.add('control_log', `control_log ${seq}`, `orders another rule than entry ${ix} tells`);
        rules.delete(String(seq));
      }
      for (const seq of rules.keys()) lacks(seq);
    },
    /** Looks for rules up to `outbox`, the seq up to which records have entries. */
    async end(outbox: bigint): Promise<void> {
      for (const { seq } of await rulesUpTo(outbox)) lacks(seq);
    },
  };
}

const saysTheSame = (data: Body, body: Body): boolean =>
  data['rule'] === body['id'] &&
  REPEATED.every((name) => isDeepStrictEqual(data[name], body[name])) &&
  isDeepStrictEqual(data['author'], body['author']);

function dataOf(bytes: Buffer): Body | undefined {
  try {
    const { data } = JSON.parse(bytes.toString('utf8')) as { data?: unknown };
    return typeof data === 'object' && data !== null ? (data as Body) : undefined;
  } catch {
    return undefined;
  }
}
