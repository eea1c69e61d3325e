import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Verdict } from './check-history.js';
import type { Fault } from './faults.js';
import type { CheckLog, History } from './history.js';

/** Milliseconds of the run that are shown before and after a violation. */
const AROUND_MS = 10_000;
const MAX_SHOWN = 10;

export interface Evidence {
  readonly path: string;
  readonly seed: number;
  readonly vias: readonly string[];
  readonly history: History;
  readonly log: CheckLog;
  readonly faults: readonly Fault[];
  readonly verdict: Verdict;
}

/** Writes what surrounds the first violations: the token, the orders that select it, the checks of it, the faults. */
export async function saveEvidence({ path, seed, vias, history, log, faults, verdict }: Evidence): Promise<void> {
  const shown = verdict.violations.slice(0, MAX_SHOWN).map(({ kind, check, orders }) => {
    const [from, to] = [check.began - AROUND_MS, check.ended + AROUND_MS];
    const token = history.tokens[check.token]!;
    return {
      kind,
      check: { ...check, via: vias[check.via] },
      token: { ...token, values: [...token.values] },
      orders: orders.map((at) => ({ at, ...history.orders[at] })),
      checks: [...log]
        .filter(({ token: of, began, ended }) => of === check.token && ended >= from && began <= to)
        .map((other) => ({ ...other, via: vias[other.via] })),
      faults: faults.filter((fault) => fault.to >= from && fault.from <= to),
    };
  });
  await mkdir(dirname(path), { recursive: true });
  const { violations: _, ...counted } = verdict;
  await writeFile(
    path,
    `${JSON.stringify({ seed, epochAtZero: history.epochAtZero, verdict: counted, violations: shown }, null, 1)}\n`,
  );
}
