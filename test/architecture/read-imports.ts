import { parseSync } from '@swc/core';
import { dirname, posix } from 'node:path';

export interface Import {
  readonly specifier: string;
  /** `import type`, which is erased. `import { type A }` is not: under `verbatimModuleSyntax` the module is still loaded. */
  readonly typeOnly: boolean;
  /** Names as the other module exports them; `*` for all of it. */
  readonly names: readonly string[];
  /** `export * from`. */
  readonly star: boolean;
  /** `import()` in a value, which loads its module when it runs. */
  readonly lazy?: true;
}

type Node = Record<string, unknown> & { type?: string };

/** Every module that a TypeScript source names: imports, re-exports, `import()` in values and types, `require`. */
export function readImports(source: string, file: string): Import[] {
  const found: Import[] = [];
  const module = parseSync(source, {
    syntax: 'typescript',
    decorators: true,
    tsx: file.endsWith('.tsx'),
    target: 'es2022',
  });
  visit(module as unknown as Node, found);
  return found;
}

function visit(node: unknown, found: Import[]): void {
  if (Array.isArray(node)) {
    for (const inner of node) visit(inner, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const one = importOf(node as Node);
  if (one !== undefined) found.push(one);
  for (const inner of Object.values(node)) visit(inner, found);
}

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration': {
      const specifier = textOf(node['source']);
      if (specifier === undefined) return undefined;
      const specifiers = node['specifiers'] as Node[];
      return { specifier, typeOnly: node['typeOnly'] === true, names: specifiers.map(nameOf), star: false };
    }
    case 'ExportAllDeclaration':
      return { specifier: textOf(node['source'])!, typeOnly: node['typeOnly'] === true, names: ['*'], star: true };
    case 'TsImportType': {
      const qualifier = node['qualifier'] as Node | null;
      return { specifier: textOf(node['argument'])!, typeOnly: true, names: [textOf(qualifier) ?? '*'], star: false };
    }
    case 'TsExternalModuleReference':
      return whole(node['expression']);
    case 'CallExpression': {
      const callee = node['callee'] as Node;
      const loads = callee.type === 'Import' || (callee.type === 'Identifier' && callee['value'] === 'require');
      const loaded = loads ? whole((node['arguments'] as Node[])[0]?.['expression']) : undefined;
      return loaded !== undefined && callee.type === 'Import' ? { ...loaded, lazy: true } : loaded;
    }
    default:
      return undefined;
  }
}

function whole(expression: unknown): Import | undefined {
  const specifier = textOf(expression);
  return specifier === undefined ? undefined : { specifier, typeOnly: false, names: ['*'], star: false };
}

function nameOf(specifier: Node): string {
  switch (specifier.type) {
    case 'ImportDefaultSpecifier':
      return 'default';
    case 'ImportSpecifier':
      return textOf(specifier['imported']) ?? textOf(specifier['local'])!;
    case 'ExportSpecifier':
      return textOf(specifier['orig'])!;
    default:
      return '*';
  }
}

function textOf(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('value' in node)) return undefined;
  return typeof node.value === 'string' ? node.value : undefined;
}

/** The source that a relative specifier means, from the root; undefined for a package. */
export function resolveImport(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(file), specifier).replace(/\.js$/, '.ts');
}
