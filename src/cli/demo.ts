import { join } from 'node:path';
import type { Command } from 'commander';
import type { Context } from './context.js';
import { describeVariables, type Variables } from './serve.js';
import { DEFAULT_HOME, DEMO_DIRECTORY } from './settings.js';

/** How long the demo may take to end by itself after Ctrl-C, before the service is taken from under it. */
const GRACE_MS = 5_000;
const INTERRUPTED = 130;

const HELP = `
The demo keeps its data and keys in <RESCIND_HOME>/demo, apart from the service's; RESCIND_HOME=.rescind/demo lets other commands speak to it.`;

export function addDemo(program: Command, context: Context, variables: Variables, setExitCode: (code: number) => void): void {
  program
    .command('demo')
    .description('the whole main job on this machine: sign in, agent, ID-JAG, tokens, events, graph, revocation; stays up until Ctrl-C')
    .option('--once', 'end after the last step, with exit code 0 or 1')
    .addHelpText('after', HELP)
    .addHelpText('after', describeVariables(variables))
    .action(async ({ once = false }: { once?: boolean }) => {
      const [{ startRescind }, { runDemo }, { createLog, readConfig }] = await Promise.all([
        import('../main.js'),
        import('../sandbox/index.js'),
        import('../platform/index.js'),
      ]);
      const { env } = context.terminal;
      const config = readConfig({ ...env, RESCIND_HOME: join(env['RESCIND_HOME'] ?? DEFAULT_HOME, DEMO_DIRECTORY) });
      // The story is on the terminal; the log speaks up only when something is wrong, unless it was asked for.
      const log = createLog({ level: context.terminal.env['LOG_LEVEL'] === undefined ? 'error' : config.logLevel });
      const interrupt = listenForInterrupt();
      try {
        const rescind = await startRescind(config, { log });
        try {
          const { adminKey, url, brokers, adminKeyPath } = rescind;
          if (adminKey === undefined) throw new Error(`the administrator's key is not in ${adminKeyPath}`);
          if (rescind.kafkaProblem !== undefined) context.terminal.out.write(`Without Kafka, events go over HTTP: ${rescind.kafkaProblem}\n`);
          const out = context.terminal.out;
          const demo = runDemo({ rescindUrl: url, adminKey, brokers, home: config.home, once, log, out, stopRequested: interrupt.requested });
          // In the middle of the story nothing listens for the request: its next call fails when the service is gone.
          const pull = interrupt.requested.then(() => setTimeout(() => void rescind.stop(), GRACE_MS).unref());
          setExitCode(await demo);
          if (interrupt.isRequested()) clearTimeout(await pull);
        } finally {
          await rescind.stop();
        }
      } finally {
        interrupt.stop();
      }
    });
}

interface Interrupt {
  /** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly requested: Promise<void>;
  isRequested(): boolean;
  stop(): void;
}

function listenForInterrupt(): Interrupt {
  let isRequested = false;
  let resolveRequested: () => void;
  const requested = new Promise<void>((resolve) => {
    resolveRequested = resolve;
  });
  const onSignal = (): void => {
    if (isRequested) process.exit(INTERRUPTED);
    isRequested = true;
    resolveRequested();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    requested,
    isRequested: () => isRequested,
    stop: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
