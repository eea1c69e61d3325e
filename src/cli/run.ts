import { Command, CommanderError } from 'commander';
import { RequestFailed } from './client.js';
import { addCaller } from './registry/caller.js';
import { addConfig } from './operate/config.js';
import { addControl } from './operate/control.js';
import { createContext } from './context.js';
import { addDemo } from './trial/demo.js';
import { addDirectory } from './registry/directory.js';
import { EventsRefused, addEmit } from './trial/emit.js';
import { addHealth } from './operate/health.js';
import { addMigrate } from './operate/migrate.js';
import { addPartition } from './operate/partition.js';
import { addQuarantine } from './operate/quarantine.js';
import { addRebuild } from './operate/rebuild.js';
import { addRevoke } from './ask/revoke.js';
import { addSeed } from './trial/seed.js';
import { addServe, type Variables } from './operate/serve.js';
import { addSource } from './registry/source.js';
import { addTenant } from './registry/tenant.js';
import { INTERRUPTED, UsageError, type Terminal } from './terminal.js';

/** Commands that read the service's own configuration. */
const CONFIGURED: ReadonlySet<string> = new Set(['serve', 'demo', 'seed', 'migrate', 'control', 'rebuild']);

const FAILED = 1;
const MISUSED = 2;

const CLOSING = `
\`serve\`, \`demo\`, \`seed\`, \`control\` and \`rebuild\` take the service's own environment (\`rescind config check\` lists it).
The other commands speak to a running service:
  RESCIND_HOME  the service's directory (default .rescind): where it answers and the administrator's key are read there
  RESCIND_URL   another service, with RESCIND_KEY: the key of a directory is sent only to the service that runs in it
  RESCIND_KEY   the key to use (default: the administrator's, in <RESCIND_HOME>/admin-key)
The demo's directory is <RESCIND_HOME>/demo.

Exit codes: 0 done, 1 refused or failed, 2 wrongly called, 3 revoked what no event has ever named (perhaps misspelt).

Start here:
  rescind serve      run the service
  rescind demo       see the whole job done on this machine (in a clone of the repository)
`;

/** Runs one command and resolves with its exit code. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = new Command('rescind')
    .description('See and stop what applications and AI agents may do for your users in other applications.')
    .version(await readVersion(args), '-v, --version', 'print the version')
    .showHelpAfterError('(rescind --help says more)')
    .addHelpText('after', CLOSING)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    });
  const context = createContext(terminal);
  const variables = await readVariables(args);
  addServe(program, context, variables);
  addDemo(program, context, variables, (code) => {
    exitCode = code;
  });
  addHealth(program, context, (code) => {
    exitCode = code;
  });
  addConfig(program, context, (code) => {
    exitCode = code;
  });
  addSeed(program, context, variables);
  addMigrate(program, context, variables, (code) => {
    exitCode = code;
  });
  addControl(program, context, variables);
  addRebuild(program, context, variables, (code) => {
    exitCode = code;
  });
  addTenant(program, context);
  addSource(program, context);
  addCaller(program, context);
  addRevoke(program, context, (code) => {
    exitCode = code;
  });
  addEmit(program, context);
  addQuarantine(program, context);
  addPartition(program, context);
  addDirectory(program, context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
    // Somebody ended the service while it was starting.
    if (!(error instanceof RequestFailed) && (error as { code?: unknown }).code === 'shutting-down') return INTERRUPTED;
    terminal.err.write(`rescind: ${explain(error)}\n`);
    return error instanceof UsageError ? MISUSED : FAILED;
  }
}

/** Loads the descriptions of the variables only for commands that show them: the service's modules take most of a second to load. */
async function readVariables(args: readonly string[]): Promise<Variables> {
  if (!args.some((arg) => CONFIGURED.has(arg))) return {};
  return (await import('../platform/config/index.js')).VARIABLE_DOCUMENTATION;
}

/** The service's own: nobody else loads its modules for it. */
async function readVersion(args: readonly string[]): Promise<string> {
  return args.some((arg) => arg === '--version' || arg === '-v') ? (await import('../main.js')).VERSION : '';
}

function explain(error: unknown): string {
  if (error instanceof RequestFailed || error instanceof UsageError || error instanceof EventsRefused)
    return error.message;
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && !error.message.startsWith(code) ? `${code}: ${error.message}` : error.message;
}
