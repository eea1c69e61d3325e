import { COMPOSERS, FRAMEWORKS, IMPORT_TABLE, LEAF_EXCEPTIONS, LEAVES, type Allowance } from './import-table.js';
import { readImports, resolveImport, type Import } from './read-imports.js';
import { areaOf, isSpec } from './source-tree.js';

/** Finds the imports of a source that the table forbids. Each violation is a sentence that ends with the rule's reason. */
export function importViolations(file: string, source: string): string[] {
  return readImports(source, file).flatMap((one) => {
    const problem = violation(file, one);
    return problem === undefined ? [] : [`${file} imports ${one.specifier}: ${problem}`];
  });
}

function violation(file: string, one: Import): string | undefined {
  if (one.star) return '`export *` hides what is public; name the exports';
  const target = resolveImport(file, one.specifier);
  if (target === undefined) return undefined;
  if (!/\.(?:js|json)$/.test(one.specifier) && !(areaOf(file) === 'console' && one.specifier.endsWith('.css')))
    return 'relative imports end in .js, or Node cannot load the build';
  if (target.startsWith('test/')) return isSpec(file) ? undefined : 'what ships does not depend on tests';
  if (!target.startsWith('src/')) return 'nothing outside src is part of the build';
  const [from, to] = [areaOf(file), areaOf(target)];
  if (from === to) return undefined;
  return leafViolation(from, to) ?? rowViolation(file, from, to, one) ?? doorViolation(target, to);
}

function leafViolation(from: string, to: string): string | undefined {
  if (!LEAVES.has(to) || LEAF_EXCEPTIONS.has(`${from} → ${to}`)) return undefined;
  return `nothing imports ${to}: it is composed of the others`;
}

function rowViolation(file: string, from: string, to: string, one: Import): string | undefined {
  if (COMPOSERS.has(from)) return undefined;
  const row = IMPORT_TABLE[from];
  if (row === undefined) return `${from} has no row in the table; add one, with its reason`;
  // A spec may start what platform starts, and build events as a producer does.
  if (isSpec(file) && (to.startsWith('platform/') || to === 'emit')) return undefined;
  const allowance = row.may[to];
  if (allowance === undefined) return `${from} may not import ${to}, because ${row.reason}`;
  return allowanceViolation(allowance, one)
    ? `${from} may import only ${allowance.what} of ${to}, because ${row.reason}`
    : undefined;
}

function allowanceViolation(allowance: Allowance, one: Import): boolean {
  if (allowance.typesOnly && !one.typeOnly) return true;
  return allowance.names !== undefined && !one.names.every((name) => allowance.names!.test(name));
}

function doorViolation(target: string, to: string): string | undefined {
  if (to.endsWith('.ts') || target === `src/${to}/index.ts`) return undefined;
  return `a folder is entered through its index.ts, so that the rest of ${to} can change`;
}

/** Packages that a source names and its suffix does not let in. */
export function frameworkViolations(file: string, source: string): string[] {
  return readImports(source, file).flatMap(({ specifier }) =>
    FRAMEWORKS.filter(({ packages, files }) => packages.test(specifier) && !files.test(file)).map(
      ({ name, files }) =>
        `${file} imports ${specifier}: only files matching ${files.source} may know ${name}; take a port or platform's types`,
    ),
  );
}
