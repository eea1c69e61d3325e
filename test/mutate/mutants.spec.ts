import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { addProbes, applyMutant, makeMutants } from './mutants.js';

const mutantsOf = (source: string): string[] => makeMutants(source, 'a.ts').map((mutant) => applyMutant(source, mutant));

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

describe('probes', () => {
  it('leave what a source does as it is, and say what it reaches', () => {
    const source = 'let a = 0; for (const b of [1, 2, 3]) { if (b === 2) continue; a += b > 2 ? b : 1; } globalThis.probed = a;';
    const mutants = makeMutants(source, 'a.ts');
    const reached = new Set<number>();
    const place = globalThis as { __reached?: Set<number>; probed?: number };
    place.__reached = reached;
    const probed = addProbes(source, mutants, (mutant) => mutants.indexOf(mutant));
    (0, eval)(transformSync(`(() => { ${probed} })()`, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }).code);
    delete place.__reached;
    expect(place.probed).toBe(4);
    expect([...reached].sort((one, other) => one - other)).toEqual(mutants.map((_, at) => at));
  });

  it('say nothing of what is not reached', () => {
    const source = 'if (false) { globalThis.probed = 1; }';
    const mutants = makeMutants(source, 'a.ts');
    const probed = addProbes(source, mutants, (mutant) => mutants.indexOf(mutant));
    const reached = new Set<number>();
    (globalThis as { __reached?: Set<number> }).__reached = reached;
    (0, eval)(probed);
    delete (globalThis as { __reached?: Set<number> }).__reached;
    expect([...reached].map((at) => mutants[at]!.original).sort()).toEqual(['false']);
  });
});
