import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { relative, sep } from 'node:path';
import { addProbes, applyMutant, type Mutant } from './mutants.js';

/** What the transformer does to the sources, by way of the configuration's `globals`. */
export type Task =
  | { readonly kind: 'probe'; readonly mutants: readonly (Mutant & { readonly number: number })[] }
  | { readonly kind: 'mutant'; readonly mutant: Mutant };

interface Options {
  readonly config: { readonly rootDir: string; readonly globals: { readonly mutateTask?: Task } };
}

interface Transformer {
  process(source: string, path: string, options: unknown): { readonly code: string };
}

const swc = createRequire(import.meta.url)('@swc/jest') as { createTransformer(options: unknown): Transformer };

/** The sources as jest sees them; the files themselves stay as they are. */
function mutated(source: string, path: string, { config }: Options): string {
  const task = config.globals.mutateTask;
  const file = relative(config.rootDir, path).split(sep).join('/');
  if (task?.kind === 'mutant' && task.mutant.file === file) return applyMutant(source, task.mutant);
  if (task?.kind !== 'probe') return source;
  const mutants = task.mutants.filter((mutant) => mutant.file === file);
  return mutants.length === 0 ? source : addProbes(source, mutants, (mutant) => (mutant as (typeof mutants)[number]).number);
}

/** A jest transformer: SWC, after the task of the run has been done. */
export default {
  createTransformer(swcOptions: unknown) {
    const compiler = swc.createTransformer(swcOptions);
    const settings = JSON.stringify(swcOptions);
    return {
      // A source that the task leaves alone keeps its place in the cache.
      getCacheKey: (source: string, path: string, options: Options) =>
        createHash('sha256').update(settings).update(path).update(mutated(source, path, options)).digest('hex').slice(0, 32),
      process: (source: string, path: string, options: Options) => compiler.process(mutated(source, path, options), path, options),
    };
  },
};
