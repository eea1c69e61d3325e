import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** TypeScript 7 is the project's own; 5 is installed beside what it reads. */
export const TYPESCRIPT_5 = 'typescript@5';
const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** A project of somebody else's, empty but for what is installed into it. */
export interface Project {
  readonly directory: string;
  install(...packages: readonly string[]): Promise<void>;
  /** Names of the packages in its node_modules, except `npm`'s own files. */
  installed(): Promise<string[]>;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Every file of an installed package, by its path within. */
  files(name: string): Promise<string[]>;
  node(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    executable?: string,
  ): Promise<string>;
  npx(...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }>;
  /** Returns the compiler's output for these files, empty if it finds no error. It writes JavaScript only if `over` has `noEmit: false`. */
  typecheck(version: 5 | 7, files: readonly string[], over?: object): Promise<string>;
  remove(): Promise<void>;
}

/** Packs what `dist` holds; `npm test` has built it. */
export async function packInto(directory: string): Promise<Readonly<Record<'guard' | 'emit' | 'rescind', string>>> {
  const { stdout } = await run(process.execPath, ['test/support/pack.mjs', directory]);
  const [guard, emit, rescind] = stdout.trim().split('\n');
  return { guard: guard!, emit: emit!, rescind: rescind! };
}

export const temporaryDirectory = (): Promise<string> =>
  mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-packages-`));

export async function emptyProject(): Promise<Project> {
  const directory = await temporaryDirectory();
  // A registry behind a proxy of a company has a certificate that only this variable makes known.
  const { PATH, HOME, NODE_EXTRA_CA_CERTS } = process.env;
  const base = {
    HOME,
    PATH: `${dirname(process.execPath)}${delimiter}${PATH}`,
    ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }),
  };
  await writeFile(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  };
  return {
    directory,
    write,
    async install(...packages) {
      await run('npm', [...INSTALL, ...packages], { cwd: directory, env: base });
    },
    async installed() {
      const names = (await readdir(join(directory, 'node_modules'))).filter((name) => !name.startsWith('.'));
      const scoped = await Promise.all(
        names.map(async (name) =>
          name.startsWith('@')
            ? (await readdir(join(directory, 'node_modules', name))).map((part) => `${name}/${part}`)
            : [name],
        ),
      );
      return scoped.flat().sort();
    },
    async files(name) {
      const root = join(directory, 'node_modules', name);
      const found = await readdir(root, { recursive: true, withFileTypes: true });
      return found.filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name)));
    },
    async node(file, args, env, executable = process.execPath) {
      return (await run(executable, [file, ...args], { cwd: directory, env: { ...base, ...env } })).stdout;
    },
    async npx(...args) {
      const result = run('npx', ['--no-install', ...args], { cwd: directory, env: base });
      return result.then(
        ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
        ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({ stdout, stderr, code }),
      );
    },
    async typecheck(version, files, over = {}) {
      const compilerOptions = {
        strict: true,
        module: version === 5 ? 'node16' : 'nodenext',
        target: 'es2022',
        types: ['node'],
        noEmit: true,
        ...over,
      };
      await write({ 'tsconfig.json': JSON.stringify({ compilerOptions, files }) });
      const compiler =
        version === 5 ? join(directory, 'node_modules/typescript/bin/tsc') : resolve('node_modules/typescript/bin/tsc');
      return run(process.execPath, [compiler, '-p', directory]).then(
        ({ stdout }) => stdout,
        ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
      );
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The named examples of a README: blocks whose first line is `// <name>.ts`. */
export async function examplesOf(readme: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(readme, 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/```ts\n\/\/ ([\w.]+)[^\n]*\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
  );
}
