/** Columns: wide enough for an issuer with its port beside a time, narrow enough for a terminal of the usual width. */
const WIDTH = 96;
const INDENT = '     ';

export interface DemoOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** An expectation of a step that was not met; the message is the expectation. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}

export interface Printer {
  title(text: string): void;
  /** Prints a heading above the steps that belong together. */
  section(text: string): void;
  /** Runs one step, prints its number, title and duration, and returns its result. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Prints a line below the step: what happened. */
  detail(text: string): void;
  /** Prints a line that says that a check passed. Throws `DemoFailure` if `holds` is false. */
  check(holds: boolean, claim: string): void;
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  plain(text: string): void;
  readonly checks: number;
}

export function createPrinter(out: DemoOutput): Printer {
  const colour = out.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [bold, dim, green, red] = [1, 2, 32, 31].map((code) => (text: string) => paint(code, text)) as [
    Paint,
    Paint,
    Paint,
    Paint,
  ];
  const line = (text = ''): void => void out.write(`${text}\n`);
  let steps = 0;
  let checks = 0;

  return {
    get checks() {
      return checks;
    },
    title(text) {
      line();
      line(bold(text));
    },
    section(text) {
      line();
      line(bold(`── ${text} ${'─'.repeat(Math.max(0, WIDTH - text.length - 4))}`));
    },
    async step(title, work) {
      steps += 1;
      const number = String(steps).padStart(3);
      const startedAt = performance.now();
      try {
        const result = await work();
        const took = milliseconds(performance.now() - startedAt);
        line(`${bold(number)}  ${title.padEnd(WIDTH - INDENT.length - took.length - 2)}  ${dim(took)}`);
        return result;
      } catch (error) {
        line(`${bold(number)}  ${title}  ${red('failed')}`);
        throw error;
      }
    },
    detail: (text) => line(`${INDENT}${text}`),
    check(holds, claim) {
      if (!holds) throw new DemoFailure(claim);
      checks += 1;
      line(`${INDENT}${green('✓')} ${claim}`);
    },
    table(headings, rows) {
      const widths = headings.map((heading, column) =>
        Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map(({ length }) => length)),
      );
      const aligned = (cells: readonly string[]): string =>
        cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd();
      line(`${INDENT}${dim(aligned(headings))}`);
      for (const row of rows) line(`${INDENT}${aligned(row)}`);
    },
    plain: (text) => line(text),
  };
}

type Paint = (text: string) => string;

const milliseconds = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
