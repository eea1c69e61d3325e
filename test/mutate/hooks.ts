import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { transformSync, type Options } from '@swc/core';
import { addProbes, applyMutant, type Mutant } from './mutants.js';

/** A task that a run does with the sources. */
export type Task =
  | {
      readonly kind: 'probe';
      readonly mutants: readonly (Pick<Mutant, 'file' | 'start' | 'end' | 'isStatement'> & {
        readonly number: number;
      })[];
    }
  | { readonly kind: 'mutant'; readonly mutant: Pick<Mutant, 'file' | 'start' | 'end' | 'replacement'> };

export interface Settings {
  readonly root: string;
  /** The options of jest's configuration. */
  readonly swc: Options;
  /** Stands for `@jest/globals`. */
  readonly globals: string;
  readonly port: MessagePort;
}

type Load = { readonly format: string; readonly source?: string; readonly shortCircuit?: boolean };

/** Marks the modules of one run: those of the next run are other modules, while packages stay loaded. */
const RUN = '?run=';

let settings: Settings;
let task: Task;
const compiled = new Map<string, string>();

export function initialize(given: Settings): void {
  settings = given;
  settings.port.on('message', (next: Task) => {
    task = next;
    settings.port.postMessage('ready', []);
  });
  settings.port.unref();
}

export function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: unknown) => unknown,
): unknown {
  const run = context.parentURL?.split(RUN)[1];
  if (run === undefined) return next(specifier, context);
  if (specifier === '@jest/globals') return { url: settings.globals, shortCircuit: true };
  if (!specifier.startsWith('.')) return next(specifier, context);
  const url = new URL(specifier, context.parentURL).href.replace(/\.js$/, '.ts');
  return { url: `${url}${RUN}${run}`, format: 'module', shortCircuit: true };
}

export function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Load | Promise<Load>,
): Load | Promise<Load> {
  if (!url.includes(RUN)) return next(url, context);
  return { format: 'module', source: compile(fileURLToPath(url)), shortCircuit: true };
}

function compile(path: string): string {
  const source = readFileSync(path, 'utf8');
  const changed = change(source, relative(settings.root, path).split(sep).join('/'));
  if (changed !== source) return transform(changed, path);
  const known = compiled.get(path) ?? transform(source, path);
  compiled.set(path, known);
  return known;
}

const transform = (source: string, filename: string): string =>
  transformSync(source, { ...settings.swc, filename, swcrc: false, configFile: false }).code;

function change(source: string, file: string): string {
  if (task.kind === 'mutant') return task.mutant.file === file ? applyMutant(source, task.mutant) : source;
  const mutants = task.mutants.filter((mutant) => mutant.file === file);
  return mutants.length === 0 ? source : addProbes(source, mutants, ({ number }) => number);
}
