import { Command, CommanderError } from 'commander';
import { addAsk } from './question/ask.js';
import { addExplore } from './explore/explore.js';
import { printable } from './output.js';
import { RequestFailed } from './client.js';
import { addCaller } from './registry/caller.js';
import { addConfig } from './operate/config.js';
import { addControl } from './operate/control.js';
import { addLedgerContinue, addLedgerRotateKey } from './operate/ledger.js';
import { contextOption, createContext } from './context.js';
import { addCompletion, isWordsCommand, printWords } from './setup/completion.js';
import { addContext } from './setup/context-command.js';
import { EXIT, exitCodeOf, exitCodesText } from './exit-codes.js';
import { addDemo } from './trial/demo.js';
import { addDirectory } from './registry/directory.js';
import { EventsRefused, addEmit } from './trial/emit.js';
import { addEvidence } from './evidence/evidence.js';
import { addLedgerShow } from './evidence/ledger.js';
import { addVerify } from './evidence/verify.js';
import { addExport } from './export/export-command.js';
import { addMcp } from './mcp/command.js';
import { addChannels } from './findings/channels.js';
import { addDetections } from './findings/detections.js';
import { addFindings } from './findings/findings.js';
import { addFsck } from './operate/fsck.js';
import { addErase } from './operate/erase.js';
import { addHealth } from './operate/health.js';
import { addMigrate } from './operate/migrate.js';
import { addPartition } from './operate/partition.js';
import { addQuarantine } from './operate/quarantine.js';
import { addRebuild } from './operate/rebuild.js';
import { addRevoke } from './ask/revoke.js';
import { addSeed } from './trial/seed.js';
import { addServe, type Variables } from './operate/serve.js';
import { addSignIn } from './registry/sign-in.js';
import { addSource } from './registry/source.js';
import { addTenant } from './registry/tenant.js';
import { addView } from './registry/view.js';
import { UsageError, type Terminal } from './terminal.js';
import { addWatch } from './watch/watch.js';
import { VERSION } from '../version.js';

/** Commands that read the service's own configuration. */
const CONFIGURED: ReadonlySet<string> = new Set(['serve', 'demo', 'seed', 'migrate', 'control', 'rebuild', 'fsck']);

const CLOSING = `
\`serve\`, \`demo\`, \`seed\`, \`control\`, \`rebuild\` and \`fsck\` take the service's own environment (\`rescind config check\` lists it).
The other commands speak to a running service:
  RESCIND_HOME     the service's directory (default .rescind): where it answers and the administrator's key are read there
  RESCIND_URL      another service, with RESCIND_KEY: the key of a directory is sent only to the service that runs in it
  RESCIND_KEY      the key to use (default: the administrator's, in <RESCIND_HOME>/admin-key)
  RESCIND_CONTEXT  a service and its key that \`rescind context add\` has remembered
The demo's directory is <RESCIND_HOME>/demo.

Exit codes:
${exitCodesText()}
Start here:
  rescind serve      run the service
  rescind ask        list what can be asked of it
  rescind demo       see the whole job done on this machine (in a clone of the repository)
`;

/** Runs one command and resolves with its exit code. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = new Command('rescind')
    .description('See and stop what applications and AI agents may do for your users in other applications.')
    .version(VERSION, '-v, --version', 'print the version')
    .showHelpAfterError('(rescind --help says more)')
    .addHelpText('after', CLOSING)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    });
  const context = createContext(terminal);
  const variables = isWordsCommand(args) ? {} : await readVariables(args);
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
  const ledger = program
    .command('ledger')
    .description('the ledger as a log that others can check, and what to do when an old backup was restored');
  addLedgerShow(ledger, context);
  addLedgerContinue(ledger, context, variables);
  addLedgerRotateKey(ledger, context, variables, (code) => {
    exitCode = code;
  });
  addRebuild(program, context, variables, (code) => {
    exitCode = code;
  });
  addFsck(program, context, variables, (code) => {
    exitCode = code;
  });
  addAsk(program, context);
  addFindings(program, context);
  addChannels(program, context);
  addWatch(program, context, (code) => {
    exitCode = code;
  });
  addDetections(program, context);
  addExport(program, context, (code) => {
    exitCode = code;
  });
  addEvidence(program, context);
  addVerify(program, context, (code) => {
    exitCode = code;
  });
  addExplore(program, context);
  addMcp(program, context);
  addTenant(program, context);
  addView(program, context);
  addSource(program, context);
  addCaller(program, context);
  addSignIn(program, context);
  addRevoke(program, context, (code) => {
    exitCode = code;
  });
  addErase(program, context, (code) => {
    exitCode = code;
  });
  addEmit(program, context);
  addQuarantine(program, context);
  addPartition(program, context);
  addDirectory(program, context);
  addContext(program, context);
  addCompletion(program, context);
  addContextOption(program);
  try {
    if (isWordsCommand(args)) {
      await printWords(program, context, args);
      return EXIT.done[0];
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done[0] : EXIT.misused[0];
    // Somebody ended the service while it was starting.
    if (!(error instanceof RequestFailed) && (error as { code?: unknown }).code === 'shutting-down')
      return EXIT.interrupted[0];
    // A refusal repeats names, and it comes from outside.
    terminal.err.write(`rescind: ${explain(error).split('\n').map(printable).join('\n')}\n`);
    return exitCodeOf(error);
  }
}

/** Loads the descriptions of the variables only for commands that show them: the service's modules take most of a second to load. */
async function readVariables(args: readonly string[]): Promise<Variables> {
  if (!args.some((arg) => CONFIGURED.has(arg))) return {};
  return (await import('../platform/config/index.js')).VARIABLE_DOCUMENTATION;
}

/** Lets every command that takes a URL take the name of a context instead. */
function addContextOption(command: Command): void {
  const takes = (long: string): boolean => command.options.some((option) => option.long === long);
  if (takes('--url') && !takes('--context') && command.parent?.name() !== 'context') command.addOption(contextOption());
  command.commands.forEach(addContextOption);
}

function explain(error: unknown): string {
  if (error instanceof RequestFailed || error instanceof UsageError || error instanceof EventsRefused)
    return error.message;
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && !error.message.startsWith(code) ? `${code}: ${error.message}` : error.message;
}
