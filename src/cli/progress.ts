/** Cells of the bar. */
const WIDTH = 24;
/** Milliseconds over which the rate is taken: the speed of the first batches says little about the last. */
const RATE_WINDOW_MS = 10_000;
/** Milliseconds between two updates: on a terminal one line is redrawn, elsewhere a line is written now and then. */
const DRAW_EVERY_MS = 200;
const WRITE_EVERY_MS = 10_000;

interface Out {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A step that can be counted (in events, unless `unit` says another), with a note behind its bar; or one that cannot, as a text. `total` may grow. */
export type Step =
  | string
  | { readonly done: bigint; readonly total: bigint; readonly unit?: string; readonly note?: string };

/**
 * Creates a display of how far a command is. It shows another text and the end of a count at once. Rate and remaining
 * time come from the last seconds: the start of a database and the first, small batches say nothing about the rest.
 */
export function createProgress(out: Out, now: () => number = () => performance.now()) {
  const lineOf = createBar();
  const isTerminal = out.isTTY === true;
  const everyMs = isTerminal ? DRAW_EVERY_MS : WRITE_EVERY_MS;
  let shown: { readonly at: number; readonly as: string } = { at: now(), as: 'counting' };
  let open = false;
  return {
    show(step: Step): void {
      const at = now();
      const as = typeof step === 'string' ? step : step.done < step.total ? 'counting' : 'counted';
      const line = typeof step === 'string' ? step : lineOf(step, at);
      if ((as === shown.as || as === 'counting') && at - shown.at < everyMs) return;
      shown = { at, as };
      out.write(isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
      open = isTerminal;
    },
    end(): void {
      if (open) out.write('\n');
      open = false;
    },
  };
}

/** Formats `[#########               ] 38 %  380,000 of 1,000,000 events  18,200/s  34 s left` for one moment after another. */
function createBar() {
  let marks: { readonly at: number; readonly done: bigint }[] = [];
  return ({ done, total, unit = 'events', note }: Exclude<Step, string>, nowMs: number): string => {
    marks = [...marks.filter(({ at }) => nowMs - at <= RATE_WINDOW_MS), { at: nowMs, done }];
    const share = total === 0n ? 1 : Number(done) / Number(total);
    const told = [
      `[${'#'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH)}] ${Math.floor(share * 100)} %`,
      `${count(done)} of ${count(total)} ${unit}`,
    ];
    const [first] = marks;
    const perSecond = nowMs > first!.at ? (Number(done - first!.done) / (nowMs - first!.at)) * 1000 : 0;
    if (perSecond >= 1) told.push(`${count(Math.round(perSecond))}/s`);
    if (perSecond >= 1 && done < total) told.push(`${timeOf(Number(total - done) / perSecond)} left`);
    return [...told, ...(note === undefined ? [] : [note])].join('  ');
  };
}

const count = (n: bigint | number): string => n.toLocaleString('en-US');

function timeOf(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.ceil((seconds % 3_600) / 60)} min`;
}
