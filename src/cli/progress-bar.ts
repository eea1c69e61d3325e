/** Cells of the bar. */
const WIDTH = 24;
/** Milliseconds over which the rate is taken: the speed of the first batches says little about the last. */
const RATE_WINDOW_MS = 10_000;

export interface ProgressBar {
  /** Formats the line for this moment. `total` may grow from call to call. */
  line(done: bigint, total: bigint, nowMs: number): string;
}

/** Creates a progress bar: `[#########               ] 38 %  380,000 of 1,000,000 events  18,200/s  34 s left` */
export function createProgressBar(): ProgressBar {
  let marks: { readonly at: number; readonly done: bigint }[] = [];

  return {
    line(done, total, nowMs) {
      marks = [...marks.filter(({ at }) => nowMs - at <= RATE_WINDOW_MS), { at: nowMs, done }];
      const share = total === 0n ? 1 : Number(done) / Number(total);
      const filled = Math.floor(share * WIDTH);
      const told = [
        `[${'#'.repeat(filled).padEnd(WIDTH)}] ${Math.floor(share * 100)} %`,
        `${count(done)} of ${count(total)} events`,
      ];
      const [first] = marks;
      const perSecond = nowMs > first!.at ? (Number(done - first!.done) / (nowMs - first!.at)) * 1000 : 0;
      if (perSecond >= 1) told.push(`${count(Math.round(perSecond))}/s`);
      if (perSecond >= 1 && done < total) told.push(`${timeOf(Number(total - done) / perSecond)} left`);
      return told.join('  ');
    },
  };
}

const count = (n: bigint | number): string => n.toLocaleString('en-US');

function timeOf(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.ceil((seconds % 3_600) / 60)} min`;
}
