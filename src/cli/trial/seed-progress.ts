import type { SeedProgress } from '../../seed/index.js';
import { createProgressBar } from '../progress-bar.js';

/** Milliseconds between two updates: on a terminal one line is redrawn, elsewhere a line is written now and then. */
const DRAW_EVERY_MS = 200;
const WRITE_EVERY_MS = 10_000;

interface Out {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Creates the display of a seeding: how far it is, and the day in its history. Rate and remaining time come from the last seconds, because
 * the start of the database and the first, small batches say nothing about the rest.
 */
export function createSeedProgress(out: Out, now: () => number = () => performance.now()) {
  const bar = createProgressBar();
  const isTerminal = out.isTTY === true;
  const everyMs = isTerminal ? DRAW_EVERY_MS : WRITE_EVERY_MS;
  let shownAt = now();
  return {
    show({ sent, events, at }: SeedProgress): void {
      const nowMs = now();
      const line = `${bar.line(BigInt(sent), BigInt(events), nowMs)}  ${new Date(at * 1000).toISOString().slice(0, 10)}`;
      if (sent < events && nowMs - shownAt < everyMs) return;
      shownAt = nowMs;
      out.write(isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
    },
    end(): void {
      if (isTerminal) out.write('\n');
    },
  };
}
