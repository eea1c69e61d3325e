import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createRunner, type Runner } from './pool.js';
import type { Numbered } from './scope.js';
import type { Ran, Reply, Request } from './worker.js';

/** Explores the whole model of the lease for minutes a run; the specs beside it cover the same lines. */
const SLOW = /lease-model\.spec\.ts$/;
/** A spec that waits for what a broken line never brings gives up after this. */
const TEST_TIMEOUT_MS = 15_000;
const PROBING_LIMIT_MS = 1_200_000;

/** The unit specs that reach a mutant's place, and how long each spec takes. */
export interface Reached {
  readonly specsOf: ReadonlyMap<number, readonly string[]>;
  readonly ms: ReadonlyMap<string, number>;
  /** Processor time of each. */
  readonly cpuMs: ReadonlyMap<string, number>;
}

/** A run of the unit project's specs, without what is done to the sources. */
export function requestOf(root: string, unit: Unit): Pick<Request, 'root' | 'swc' | 'testTimeoutMs'> {
  const [[, swc]] = Object.values(unit.transform) as [readonly [string, Request['swc']]];
  return { root, swc, testTimeoutMs: TEST_TIMEOUT_MS };
}

/** The part of jest's configuration that says how sources are compiled. */
export interface Unit {
  readonly transform: Readonly<Record<string, readonly [string, unknown]>>;
}

/**
 * Runs the unit specs of the mutants' folders once, with probes in the sources. Specs of other folders may find a mutant too; a score
 * without them is a lower bound, and says what the folder's own specs hold. All must pass: a spec that fails by itself kills every mutant.
 */
export async function findSpecs(
  root: string,
  unit: Unit,
  mutants: readonly Numbered[],
  withSlow: boolean,
): Promise<Reached> {
  const runner: Runner = createRunner();
  try {
    const folders = new Set(mutants.map(({ folder }) => folder));
    const specs = (await readdir(join(root, 'src'), { recursive: true }))
      .filter((name) => folders.has(name.split(sep)[0]!) && name.endsWith('.spec.ts') && (withSlow || !SLOW.test(name)))
      .map((name) => join(root, 'src', name));
    const task = {
      kind: 'probe',
      mutants: mutants.map(({ file, start, end, isStatement, number }) => ({ file, start, end, isStatement, number })),
    } as const;
    // The probes slow some specs down; nothing is broken that a limit would have to end.
    const reply = await runner.run(
      { ...requestOf(root, unit), testTimeoutMs: 10 * TEST_TIMEOUT_MS, specs, task, bail: false },
      { ms: PROBING_LIMIT_MS, cpuMs: () => Number.POSITIVE_INFINITY },
    );
    if (typeof reply === 'string') throw new Error(`the specs did not end with probes in the sources: ${reply}`);
    const failed = reply.specs.filter((spec) => spec.failed !== undefined);
    if (failed.length > 0)
      throw new Error(
        `these specs fail without a mutant:\n${failed.map(({ path, failed: name }) => `${path}: ${name}`).join('\n')}`,
      );
    const byPath = (of: (ran: Ran) => number): Map<string, number> =>
      new Map(reply.specs.map((ran) => [relative(root, ran.path), of(ran)]));
    return { specsOf: specsByMutant(root, reply), ms: byPath(({ ms }) => ms), cpuMs: byPath(({ cpuMs }) => cpuMs) };
  } finally {
    runner.close();
  }
}

function specsByMutant(root: string, { specs }: Reply): Map<number, string[]> {
  const specsOf = new Map<number, string[]>();
  for (const { path, reached } of specs) {
    for (const number of reached) specsOf.set(number, [...(specsOf.get(number) ?? []), relative(root, path)]);
  }
  return specsOf;
}

/** The specs of a mutant: those of its folder, the quick ones first; those of other folders only where its own has none. */
export function inOrder({ specsOf, ms }: Reached, { number, folder }: Numbered): string[] {
  const all = (specsOf.get(number) ?? []).toSorted((one, other) => (ms.get(one) ?? 0) - (ms.get(other) ?? 0));
  const own = all.filter((spec) => spec.startsWith(`src/${folder}/`));
  return own.length > 0 ? own : all;
}
