import { timeText } from '../../contracts/index.js';
import { isCut } from '../ask/answer-parts.js';
import { operationOf } from '../ask/entity-kinds.js';
import { orNull, type Names } from '../ask/names.pg.js';
import { MAX_SHOWN } from './held.pg.js';
import type { Used, UsedRow } from './used.pg.js';

interface Volumes {
  readonly allowed: number;
  readonly denied: number;
  readonly records: number;
  readonly bytes: number;
}

function sumOf(rows: readonly UsedRow[]): Volumes {
  const sum = (column: 'allowed' | 'denied' | 'records' | 'bytes'): number =>
    rows.reduce((total, row) => total + Number(row[column]), 0);
  return { allowed: sum('allowed'), denied: sum('denied'), records: sum('records'), bytes: sum('bytes') };
}

export function byResource(rows: readonly UsedRow[]) {
  return [...groupBy(rows, ({ res }) => res)]
    .map(([res, of]) => ({ res, volumes: sumOf(of), last: Math.max(...of.map(({ last }) => Number(last))) }))
    .sort((a, b) => b.volumes.allowed - a.volumes.allowed || (a.res ?? 0) - (b.res ?? 0));
}

export function usageOf(
  { rows, atLeast, totals }: Used,
  resources: ReturnType<typeof byResource>,
  names: Names,
  tokensLeftOut: boolean,
) {
  const rest = isCut(atLeast || tokensLeftOut);
  const {
    first,
    last: lastOfAll,
    ...total
  } = totals ?? {
    ...sumOf(rows),
    first: rows.length === 0 ? null : Math.min(...rows.map((row) => Number(row.first))),
    last: 0,
  };
  const operations = [...groupBy(rows, ({ op }) => op)].sort(([a], [b]) => (a ?? 99) - (b ?? 99));
  return {
    uses: total.allowed + total.denied,
    ...total,
    first: orNull(first, timeText),
    last: rows.length === 0 ? null : timeText(Math.max(lastOfAll, ...rows.map((row) => Number(row.last)))),
    operations: operations.map(([op, of]) => ({ operation: orNull(op, operationOf), ...sumOf(of), ...rest })),
    resources: {
      count: resources.length,
      top: resources.slice(0, MAX_SHOWN).map(({ res, volumes, last }) => ({
        resource: orNull(res, names.resource),
        ...volumes,
        last: timeText(last),
        ...rest,
      })),
      left_out: Math.max(0, resources.length - MAX_SHOWN),
      ...rest,
    },
    ...isCut((atLeast && !totals) || tokensLeftOut),
  };
}

function groupBy<K>(rows: readonly UsedRow[], keyOf: (row: UsedRow) => K): ReadonlyMap<K, readonly UsedRow[]> {
  const groups = new Map<K, UsedRow[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}
