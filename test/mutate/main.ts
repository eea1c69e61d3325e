import { readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createRunner, type Limits, type Runner } from './pool.js';
import {
  describe,
  describeReach,
  describeServices,
  rowsOf,
  staleEntries,
  type Outcome,
  type Survivor,
  type Tried,
} from './report.js';
import { isSource, listMutants, listNeedsServices, sample, type Numbered } from './scope.js';
import { findSpecs, inOrder, requestOf, type Reached, type Unit } from './specs.js';

const DEFAULT_WORKERS = 2;
const DEFAULT_LEAST = 85;
/** All mutants take a night; the time is up after a mutant, never within one. */
const DEFAULT_MINUTES = 1_440;
/** A mutant hangs that takes this much longer than its specs do; the machine may be busy. */
const LIMIT_FACTOR = 8;
const LIMIT_LEAST_MS = 30_000;
/** The same of the processor time of one spec, which a busy machine changes little. */
const CPU_LIMIT_FACTOR = 3;
const CPU_LIMIT_LEAST_MS = 10_000;

const { values } = parseArgs({
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string', default: 'src/' },
    minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
    workers: { type: 'string', default: String(DEFAULT_WORKERS) },
    least: { type: 'string', default: String(DEFAULT_LEAST) },
    slow: { type: 'boolean', default: false },
    reach: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const number = (name: 'sample' | 'seed' | 'minutes' | 'workers' | 'least', text: string): number => {
  const read = Number(text);
  if (!Number.isInteger(read) || read < 0) throw new TypeError(`--${name} must be a whole number`);
  return read;
};

const root = resolve('.');
const { projects } = (
  (await import(pathToFileURL(join(root, 'jest.config.js')).href)) as {
    default: { projects: readonly { displayName: string }[] };
  }
).default;
const unit = projects.find(({ displayName }) => displayName === 'unit') as unknown as Unit;
const accepted = JSON.parse(await readFile(join(root, 'test/mutate/survivors.json'), 'utf8')) as readonly Survivor[];

const files = values.files.split(',');
const all = listMutants(root, files);
if (all.length === 0) throw new TypeError('--files: no file in scope begins with that');
const drawn = sample(
  all,
  values.sample === undefined ? all.length : number('sample', values.sample),
  number('seed', values.seed),
).filter((mutant) => isSource(root, mutant));
process.stderr.write(
  `${all.length} mutants, ${drawn.length} drawn; seed ${values.seed}. Looking which specs reach them.\n`,
);
const reached = await findSpecs(root, unit, drawn, values.slow);
if (values.reach) {
  console.log(describeReach(drawn, reached.specsOf));
  process.exit(0);
}

const queue = drawn.toReversed();
const endsAt = Date.now() + number('minutes', values.minutes) * 60_000;
const tried: Tried[] = [];
await Promise.all(
  Array.from({ length: Math.max(1, number('workers', values.workers)) }, () => work(createRunner(), reached)),
);

async function work(runner: Runner, { ms, cpuMs }: Reached): Promise<void> {
  for (let mutant = queue.pop(); mutant && Date.now() < endsAt; mutant = queue.pop()) {
    const specs = inOrder(reached, mutant);
    const limits: Limits = {
      ms: LIMIT_LEAST_MS + LIMIT_FACTOR * specs.reduce((sum, spec) => sum + (ms.get(spec) ?? 0), 0),
      cpuMs: (spec) => CPU_LIMIT_LEAST_MS + CPU_LIMIT_FACTOR * (cpuMs.get(relative(root, spec)) ?? 0),
    };
    const outcome = specs.length === 0 ? ({ kind: 'unreached' } as const) : await judge(runner, mutant, specs, limits);
    tried.push({ mutant, outcome });
    const by = outcome.kind === 'killed' ? ` by ${outcome.by}` : '';
    process.stderr.write(
      `${tried.length}/${drawn.length} ${mutant.file}:${mutant.line} ${mutant.kind} ${outcome.kind}${by}\n`,
    );
  }
  runner.close();
}

async function judge(runner: Runner, mutant: Numbered, specs: readonly string[], limits: Limits): Promise<Outcome> {
  const { file, start, end, replacement } = mutant;
  const task = { kind: 'mutant', mutant: { file, start, end, replacement } } as const;
  const request = { ...requestOf(root, unit), specs: specs.map((spec) => join(root, spec)), task, bail: true };
  const first = await runner.run(request, limits);
  // A busy machine may be late once with specs that would end; those that hang are late again.
  const reply = first === 'late' ? await runner.run(request, { ...limits, ms: 2 * limits.ms }) : first;
  if (typeof reply === 'string') return { kind: reply === 'late' ? 'timeout' : reply };
  if (reply.specs.length === 0) throw new Error(`no spec was run against ${file}:${mutant.line}`);
  const killer = reply.specs.find(({ failed }) => failed !== undefined);
  return killer === undefined ? { kind: 'survived' } : { kind: 'killed', by: killer.failed! };
}

tried.sort((one, other) => one.mutant.number - other.mutant.number);
const stale = staleEntries(accepted, all, tried);
const { score } = rowsOf(tried, accepted).at(-1)!;
if (values.json !== undefined)
  await writeFile(values.json, JSON.stringify({ seed: Number(values.seed), tried, stale }, undefined, 1));
console.log(`${describe(tried, accepted, stale)}\n${describeServices(listNeedsServices(root, files))}`);
process.exit(stale.length === 0 && score >= number('least', values.least) ? 0 : 1);
