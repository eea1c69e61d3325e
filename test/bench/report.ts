/** One line of the table; with `--json` one object a line. Ratios are taken within one run, beside the floor. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  readonly ratio?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p95?: number;
  /** Entries that were there, and what ten times as many do to the value. */
  readonly events?: number;
  readonly growth?: number;
  /** Describes the floor, and anything else that a reader of the figure must know. */
  readonly note: string;
}

const COLUMNS = ['name', 'value', 'unit', 'floor', 'ratio', 'p50', 'p99'] as const;

export function printRows(rows: readonly Row[], json: boolean): void {
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row));
    return;
  }
  const cells = rows.map((row) => COLUMNS.map((column) => cellOf(row[column])));
  const widths = COLUMNS.map((column, at) => Math.max(column.length, ...cells.map((row) => row[at]!.length)));
  const line = (values: readonly string[]): string =>
    values
      .map((value, at) => value.padEnd(widths[at]!))
      .join('  ')
      .trimEnd();
  console.log(line(COLUMNS));
  rows.forEach((row, at) => {
    console.log(line(cells[at]!));
    console.log(`  ${row.note}`);
  });
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 1000) / 1000);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}
