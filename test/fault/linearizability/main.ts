import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind } from './faults.js';
import { describeRun, rowOf } from './report.js';
import { run } from './run.js';
import { setTrap, TRAPS } from './traps.js';

const DEFAULT_CHECKS = 1_000_000;
const DEFAULT_LEASE_SECONDS = 2;
const DEFAULT_MINUTES = 60;

const { values } = parseArgs({
  options: {
    checks: { type: 'string', default: String(DEFAULT_CHECKS) },
    seed: { type: 'string' },
    minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
    'lease-seconds': { type: 'string', default: String(DEFAULT_LEASE_SECONDS) },
    trap: { type: 'string' },
    faults: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const number = (name: 'checks' | 'minutes' | 'lease-seconds' | 'seed', text: string): number => {
  const read = Number(text);
  if (!Number.isInteger(read) || read < 0) throw new TypeError(`--${name} must be a whole number`);
  return read;
};

function readKinds(text: string | undefined, trap: string | undefined): readonly FaultKind[] {
  if (text === undefined) return TRAPS[trap ?? '']?.faults ?? FAULT_KINDS;
  const kinds = FAULT_KINDS.filter((kind) => text.split(',').includes(kind));
  if (kinds.length !== text.split(',').length) throw new TypeError(`--faults must be some of ${FAULT_KINDS.join(',')}`);
  return kinds;
}

const seed = number('seed', values.seed ?? String(Date.now() % 1_000_000));
const compiled = resolve('.fault/src');
const product = values.trap === undefined ? compiled : await setTrap(values.trap, compiled);
const result = await run({
  product,
  seed,
  checks: number('checks', values.checks),
  maxMs: number('minutes', values.minutes) * 60_000,
  leaseSeconds: number('lease-seconds', values['lease-seconds']),
  kinds: readKinds(values.faults, values.trap),
  directory: resolve(join('.rescind', 'fault', String(seed))),
  onProgress: (line) => process.stderr.write(`${line}\n`),
});
if (values.json) console.log(JSON.stringify(rowOf(result, values.trap)));
else console.log(describeRun(result, values.trap === undefined ? undefined : TRAPS[values.trap]!.breaks));
process.exit(result.verdict.violations.length === 0 && result.stuck.length === 0 ? 0 : 1);
