import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import type { KafkaProducerPort } from '../../src/emit/index.js';
import { readImports, resolveImport } from './read-imports.js';
import { ROOT, read } from './source-tree.js';

/** Everything that is loaded with an entry point: our files and the packages they name. Types load nothing. `atStart`: only what is loaded before it runs. */
function closureOf(
  entry: string,
  { atStart = false } = {},
): { files: ReadonlySet<string>; packages: ReadonlySet<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const { specifier, typeOnly, lazy } of readImports(read(file), file)) {
      if (typeOnly || (atStart && lazy)) continue;
      const target = resolveImport(file, specifier);
      if (target === undefined) packages.add(specifier);
      else visit(target);
    }
  };
  visit(entry);
  return { files, packages };
}

const LIBRARIES = ['emit', 'guard'].filter((name) => existsSync(`${ROOT}src/${name}/index.ts`));

describe('what a library brings along', () => {
  it.each(LIBRARIES)('%s: Node, its schemas and nothing of Nest, pg, TypeORM or kafkajs', (name) => {
    const { files, packages } = closureOf(`src/${name}/index.ts`);
    const foreign = [...packages].filter(
      (specifier) => !specifier.startsWith('node:') && !/^(?:typebox|jose|lru-cache)(?:\/|$)/.test(specifier),
    );
    expect(foreign).toEqual([]);
    expect([...files].filter((file) => /\.(?:module|controller|guard|filter|entity|pg|kafka)\.ts$/.test(file))).toEqual(
      [],
    );
  });

  it('guard brings jose, for DPoP, and no framework; its entry for Nest brings @nestjs/common beside', () => {
    const own = closureOf('src/guard/index.ts').packages;
    expect([...own].filter((specifier) => !specifier.startsWith('node:') && !specifier.startsWith('typebox'))).toEqual([
      'jose',
    ]);
    const withNest = closureOf('src/guard/nest.guard.ts').packages;
    expect([...withNest].filter((specifier) => !own.has(specifier))).toEqual(['@nestjs/common']);
  });

  it('the walk follows folders and sees packages', () => {
    const { files, packages } = closureOf('src/emit/index.ts');
    expect(files).toContain('src/contracts/canonical-json.ts');
    expect(packages).toContain('typebox/compile');
  });

  it('merkle, which the checker of the ledger rests on, brings Node alone', () => {
    expect([...closureOf('src/merkle/index.ts').packages]).toEqual(['node:buffer', 'node:crypto']);
  });

  it('the command line starts without the service: of its own packages it brings commander and the schemas', () => {
    const { files, packages } = closureOf('src/cli/run.ts', { atStart: true });
    expect([...packages].filter((name) => !/^(?:node:|typebox(?:\/|$)|commander$)/.test(name))).toEqual([]);
    const own = /^src\/(?:cli\/|contracts\/|platform\/(?:csv|lock)\/|version\.ts$)/;
    expect([...files].filter((file) => !own.test(file))).toEqual([]);
    expect(closureOf('src/cli/run.ts').files).toContain('src/main.ts');
    expect([...closureOf('src/cli/run.ts').packages]).toContain('@modelcontextprotocol/server');
  });

  it('a producer of kafkajs fits the port of emit', () => {
    const fits = (producer: Producer): KafkaProducerPort => producer;
    expect(fits).toBeDefined();
  });
});
