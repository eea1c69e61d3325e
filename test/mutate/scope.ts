import { parseSync } from '@swc/core';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { applyMutant, makeMutants, type Mutant } from './mutants.js';

/** The files that the score is about, by folder. */
const SCOPE: Readonly<Record<string, RegExp>> = {
  control: /^src\/control\//,
  lease: /^src\/lease\//,
  rules: /^src\/rules\//,
  introspection: /^src\/introspection\//,
  'platform/http/body': /\/form-body\.ts$/,
  ingest:
    /^src\/ingest\/(?:\w+\/)?(?:accept[\w-]*|source-rights|strings|partitions?|next-batch|slices|waiting-room|offsets\.pg)\.ts$/,
  guard: /^src\/guard\//,
  revocation: /^src\/revocation\//,
};
/** Nest's wiring, which the services specs run; lists of exports have no lines to break. */
const LEFT_OUT = /\.(?:spec|module|controller|guard|d)\.ts$|\/(?:index|tokens)\.ts$|\/migrations\//;
/** Files that only a server can prove right: a unit spec would double a database or a broker. They count in no score, and are named in the output. */
const NEEDS_SERVICES = /\.(?:pg|kafka)\.ts$/;

/** A mutant with its number in this state of the sources. */
export interface Numbered extends Mutant {
  readonly number: number;
  readonly folder: string;
  /** The line that it breaks, without indentation: finds it again when lines above it come or go. */
  readonly code: string;
}

/** Lists every mutant of the files in scope whose path begins with one of `files`. */
export function listMutants(root: string, files: readonly string[]): Numbered[] {
  return mutantsOf(root, files, (file) => !needsServices(file)).map((mutant, number) => ({ ...mutant, number }));
}

/** Counts the mutants of each file that is in no score, because only the services specs can tell them. */
export function listNeedsServices(root: string, files: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { file } of mutantsOf(root, files, needsServices)) counts.set(file, (counts.get(file) ?? 0) + 1);
  return counts;
}

export const needsServices = (file: string): boolean => NEEDS_SERVICES.test(file);

function mutantsOf(
  root: string,
  files: readonly string[],
  isWanted: (file: string) => boolean,
): Omit<Numbered, 'number'>[] {
  const all: Omit<Numbered, 'number'>[] = [];
  for (const [folder, pattern] of Object.entries(SCOPE)) {
    for (const file of sourcesUnder(root, `src/${folder}`)) {
      if (
        !pattern.test(file) ||
        LEFT_OUT.test(file) ||
        !isWanted(file) ||
        !files.some((start) => file.startsWith(start))
      )
        continue;
      const source = readFileSync(join(root, file), 'utf8');
      const lines = source.split('\n');
      for (const mutant of makeMutants(source, file))
        all.push({ ...mutant, folder, code: lines[mutant.line - 1]!.trim() });
    }
  }
  return all;
}

function sourcesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

/** Whether the source is one with the mutant in it: a number that is a member's name cannot be an expression. */
export function isSource(root: string, mutant: Mutant): boolean {
  try {
    parseSync(applyMutant(readFileSync(join(root, mutant.file), 'utf8'), mutant), {
      syntax: 'typescript',
      decorators: true,
      target: 'es2022',
    });
    return true;
  } catch {
    return false;
  }
}

/** Draws `count` of them in a random order, the same ones for the same seed: those tried so far are a fair sample at any moment. */
export function sample(mutants: readonly Numbered[], count: number, seed: number): Numbered[] {
  const random = mulberry32(seed);
  return mutants
    .map((mutant) => ({ mutant, at: random() }))
    .sort((one, other) => one.at - other.at)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
