// `npm run fix`: formats and lints the paths given, or without any the files that differ from the last commit.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const TYPED = /\.(?:[cm]?[jt]sx?|json)$/;
const CODE = /\.(?:[cm]?[jt]sx?)$/;

function changed() {
  const git = (...args) =>
    execFileSync('git', args, { encoding: 'utf8' })
      .split('\0')
      .filter((path) => path !== '' && existsSync(path));
  return [
    ...git('diff', '--name-only', '--relative', '-z', 'HEAD'),
    ...git('ls-files', '--others', '--exclude-standard', '-z'),
  ];
}

/** Runs the program on the paths and returns whether it succeeds. Without paths there is nothing to do. */
function runs(program, args, paths) {
  return (
    paths.length === 0 ||
    spawnSync(`node_modules/.bin/${program}`, [...args, ...paths], { stdio: 'inherit' }).status === 0
  );
}

const given = process.argv.slice(2);
const paths = given.length > 0 ? given : changed();
const isDirectory = (path) => !/\.\w+$/.test(path);
const formatted = runs(
  'biome',
  ['format', '--write', '--no-errors-on-unmatched'],
  paths.filter((path) => TYPED.test(path) || isDirectory(path)),
);
const linted = runs(
  'oxlint',
  ['--deny-warnings', '--fix'],
  paths.filter((path) => CODE.test(path) || isDirectory(path)),
);
process.exitCode = formatted && linted ? 0 : 1;
