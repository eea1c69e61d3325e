import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createRunner, type Runner } from './pool.js';
import type { Numbered } from './scope.js';

/** Explores the whole model of the lease for minutes a run; the specs beside it cover the same lines. */
const SLOW = /lease-model\.spec\.ts$/;
/** A spec that waits for what a broken line never brings gives up after this. */
const TEST_TIMEOUT_MS = 15_000;
const PROBING_LIMIT_MS = 1_200_000;

/** Which unit specs reach a mutant's place, and how long each spec takes. */
export interface Reached {
  readonly specsOf: ReadonlyMap<number, readonly string[]>;
  readonly ms: ReadonlyMap<string, number>;
}

interface Unit {
  readonly transform: Readonly<Record<string, readonly [string, unknown]>>;
}

/** The unit project's configuration with the transformer that breaks lines; `globals` tell it which. */
export function configOf(root: string, unit: Unit, globals: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [[pattern, [, options]]] = Object.entries(unit.transform) as [[string, readonly [string, unknown]]];
  return {
    ...unit,
    rootDir: root,
    roots: ['<rootDir>/src'],
    transform: { [pattern]: [join(root, '.mutate/test/mutate/transform.js'), options] },
    testTimeout: TEST_TIMEOUT_MS,
    testEnvironment: join(root, '.mutate/test/mutate/fail-fast.js'),
    globals,
  };
}

/**
 * Runs the unit specs of the mutants' folders once, with probes in the sources. Specs of other folders may find a mutant too; a score
 * without them is a lower bound, and says what the folder's own specs hold. All must pass: a spec that fails by itself kills every mutant.
 */
export async function findSpecs(root: string, unit: Unit, mutants: readonly Numbered[], withSlow: boolean): Promise<Reached> {
  const directory = join(root, '.mutate/reached');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const runner: Runner = createRunner();
  try {
    const folders = new Set(mutants.map(({ folder }) => folder));
    const specs = (await readdir(join(root, 'src'), { recursive: true }))
      .filter((name) => folders.has(name.split(sep)[0]!) && name.endsWith('.spec.ts') && (withSlow || !SLOW.test(name)))
      .map((name) => join(root, 'src', name));
    const probes = { kind: 'probe', mutants: mutants.map(({ file, start, end, isStatement, number }) => ({ file, start, end, isStatement, number })) };
    const config = {
      ...configOf(root, unit, { mutateTask: probes, mutateReachedDirectory: directory }),
      // The probes slow some specs down; nothing is broken that a limit would have to end.
      testTimeout: 10 * TEST_TIMEOUT_MS,
      setupFilesAfterEnv: [join(root, '.mutate/test/mutate/reached.js')],
    };
    const reply = await runner.run({ root, config, specs, bail: false }, PROBING_LIMIT_MS);
    if (typeof reply === 'string') throw new Error(`the specs did not end with probes in the sources: ${reply}`);
    const failed = reply.specs.filter((spec) => spec.failed !== undefined);
    if (failed.length > 0) throw new Error(`these specs fail without a mutant:\n${failed.map(({ path, failed: name }) => `${path}: ${name}`).join('\n')}`);
    return { specsOf: await readReached(root, directory), ms: new Map(reply.specs.map(({ path, ms }) => [relative(root, path), ms])) };
  } finally {
    runner.close();
  }
}

async function readReached(root: string, directory: string): Promise<Map<number, string[]>> {
  const specsOf = new Map<number, string[]>();
  for (const name of await readdir(directory)) {
    const { spec, reached } = JSON.parse(await readFile(join(directory, name), 'utf8')) as { readonly spec: string; readonly reached: readonly number[] };
    for (const number of reached) specsOf.set(number, [...(specsOf.get(number) ?? []), relative(root, spec)]);
  }
  return specsOf;
}

/** The specs of a mutant: those beside it first, the quick ones before the slow. */
export function inOrder({ specsOf, ms }: Reached, { number, file }: Numbered): string[] {
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const cost = (spec: string): number => (spec.startsWith(folder) ? 0 : 1e9) + (ms.get(spec) ?? 0);
  return (specsOf.get(number) ?? []).toSorted((one, other) => cost(one) - cost(other));
}
