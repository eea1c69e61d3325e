import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { transformSync } from '@swc/core';
import { addProbes, applyMutant, makeMutants } from './mutants.js';

const mutantsOf = (source: string): string[] =>
  makeMutants(source, 'a.ts').map((mutant) => applyMutant(source, mutant));

describe('mutants of a source', () => {
  it.each([
    ['const a = b < c;', ['const a = ((b) <= (c));']],
    ['const a = b === c;', ['const a = ((b) !== (c));']],
    ['const a = b && c || d;', ['const a = ((b) || (c)) || d;', 'const a = ((b && c) && (d));']],
    ['const a = b ?? c;', ['const a = (b);']],
    ['const a = !b;', ['const a = (b);']],
    ['const a = true;', ['const a = false;']],
    ['const a = 7;', ['const a = (7 + 1);']],
    ['const a = 7n;', ['const a = (7n + 1n);']],
    ['const a = b.some(c);', ['const a = b.every(c);']],
    ['const a = Math.max(b);', ['const a = Math.min(b);']],
    ['if (a) throw b;', ['if (true) throw b;', 'if (false) throw b;', 'if (a) ;']],
    ['while (a) { continue; }', ['while (false) { continue; }', 'while (a) { ; }']],
    ['function a() { return; }', ['function a() { ; }']],
    ['a.b(c);', [';']],
    ['const ü = "ä"; const a = b > c;', ['const ü = "ä"; const a = ((b) >= (c));']],
    ['const a = b as 1 | 2;', []],
    ['type A = B extends true ? 1 : 2;', []],
    ['const a = `x` + b;', []],
    ['log.warn(a);', []],
    ['const a = b.toString();', []],
  ])('%s', (source, mutated) => {
    expect(mutantsOf(source)).toEqual(mutated);
  });

  it('are where they say, also in the second source that is read', () => {
    makeMutants('const before = 1;', 'before.ts');
    expect(makeMutants('\n\nconst a = 1;', 'a.ts')).toMatchObject([{ line: 3, original: '1', start: 12, end: 13 }]);
  });
});

/** Runs a source with probes: what it leaves in `result`, and the mutants whose places it reached. */
function runProbed(source: string): {
  readonly result: unknown;
  readonly reached: readonly string[];
  readonly all: readonly string[];
} {
  const mutants = makeMutants(source, 'a.ts');
  const context = { mutateReached: new Set<number>(), result: undefined };
  const probed = addProbes(source, mutants, (mutant) => mutants.indexOf(mutant));
  runInNewContext(transformSync(probed, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }).code, context);
  const nameOf = (at: number): string => `${at} ${mutants[at]!.original}`;
  return {
    result: context.result,
    reached: [...context.mutateReached].sort((one, other) => one - other).map(nameOf),
    all: mutants.map((_, at) => nameOf(at)),
  };
}

describe('probes', () => {
  it('leave what a source does as it is, and say what it reaches', () => {
    const { result, reached, all } = runProbed(
      'let a = 0; for (const b of [1, 2, 3]) { if (b === 2) continue; a += b > 2 ? b : 1; } globalThis.result = a;',
    );
    expect(result).toBe(4);
    expect(all.length).toBeGreaterThan(8);
    expect(reached).toEqual(all);
  });

  it('say nothing of what is not reached', () => {
    expect(runProbed('if (false) { globalThis.result = 1; }').reached).toEqual(['0 false']);
  });
});
