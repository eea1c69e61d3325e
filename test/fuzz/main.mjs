import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const SCHEMATHESIS = process.env['SCHEMATHESIS'] ?? 'schemathesis';
const HERE = import.meta.dirname;
const ISSUER = 'https://fuzz.example';
const RESOURCE = 'https://fuzz.example/api';
const ASKING = { resources: [RESOURCE], issuers: [ISSUER] };
/** Every role, so that no operation ends with 403 before it reads what was sent. The fuzzer is kept from this one (hooks.py). */
const CALLER = {
  id: 'the-caller-that-fuzzes',
  roles: {
    admin: {},
    audit: {},
    revoke: { tenant: true },
    emit: { sources: ['fuzz'] },
    introspect: ASKING,
    guard: ASKING,
    'revoke-own': { clients: [{ iss: ISSUER, client_id: 'fuzz' }] },
  },
};
const SOURCE = {
  name: 'fuzz',
  uri: ISSUER,
  types: ['token.issued', 'access.allowed'],
  issuers: [ISSUER],
  resources: [RESOURCE],
};

/** Starts the built service with servers and a directory of its own. It ends with `stop`. */
async function startService(home) {
  // The fuzzer stands for the proxy: it gives each request an address (hooks.py).
  const env = { ...process.env, RESCIND_HOME: home, PORT: '0', TRUSTED_PROXY: 'true', LOG_LEVEL: 'error' };
  const service = spawn(process.execPath, [resolve('dist/cli/rescind.js'), 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(service, 'exit');
  let url;
  for await (const line of createInterface(service.stdout)) {
    url = /^Rescind answers at (\S+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  if (url === undefined) throw new Error('the service ended before it answered');
  service.stdout.resume();
  const stop = async () => {
    service.kill('SIGINT');
    await ended;
  };
  return { url, stop };
}

async function register({ url }, home) {
  const key = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
  const post = async (path, body) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  await post('/v1/sources', SOURCE);
  return (await post('/v1/callers', CALLER)).secret;
}

/** Runs the fuzzer. Its own output has each finding with a command that repeats it; `summary` has the numbers. */
async function fuzz(url, key, reports) {
  const options = [
    '--config-file',
    join(HERE, 'schemathesis.toml'),
    'run',
    `${url}/openapi.json`,
    '-H',
    `Authorization: Bearer ${key}`,
  ];
  const report = ['--report', 'json', '--report-dir', reports];
  const fuzzer = spawn(SCHEMATHESIS, [...options, ...report, ...process.argv.slice(2)], {
    cwd: reports,
    env: {
      ...process.env,
      FUZZ_CALLER: CALLER.id,
      SCHEMATHESIS_HOOKS: join(HERE, 'hooks.py'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = await once(fuzzer, 'exit');
  const [written] = (await readdir(reports)).filter((name) => name.endsWith('.json'));
  return {
    code,
    summary: written === undefined ? undefined : JSON.parse(await readFile(join(reports, written), 'utf8')),
  };
}

function lastLine(summary) {
  if (summary === undefined) return 'The fuzzer ended without a report.';
  const { operations, test_cases: cases, failures, errors, running_time: seconds } = summary;
  const kinds = failures.map(({ title, operations: of }) => `; ${title}: ${of.join(', ')}`);
  return `${cases.generated} requests to ${operations.tested} of ${operations.total} operations in ${Math.round(seconds)} s: ${cases.unique_failures} findings, ${errors.length} errors${kinds.join('')}`;
}

async function main() {
  if (spawnSync(SCHEMATHESIS, ['--version']).status !== 0) {
    console.error(
      'Schemathesis is missing: install it with `pip install -r test/fuzz/requirements.txt`, or name its program in SCHEMATHESIS.',
    );
    return 2;
  }
  const home = await mkdtemp(join(tmpdir(), 'rescind-fuzz-'));
  const reports = await mkdtemp(join(tmpdir(), 'rescind-fuzz-reports-'));
  try {
    const service = await startService(home);
    try {
      const { code, summary } = await fuzz(service.url, await register(service, home), reports);
      console.log(lastLine(summary));
      return code === 0 && summary !== undefined ? 0 : 1;
    } finally {
      await service.stop();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
    await rm(reports, { recursive: true, force: true });
  }
}

process.exit(await main());
