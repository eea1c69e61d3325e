import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { cloneOnly } from '../clone-only.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { describeVariables, type Variables } from '../operate/serve.js';
import { DEFAULT_HOME, DEMO_DIRECTORY } from '../settings.js';

/** Milliseconds that the demo has to end by itself after Ctrl-C before the service is stopped. */
const GRACE_MS = 1_500;
/** Milliseconds after Ctrl-C when the process exits, whatever it waits for. */
const STOP_DEADLINE_MS = 4_500;

const HELP = `
The demo keeps its data and keys in <RESCIND_HOME>/demo, apart from the service's; RESCIND_HOME=.rescind/demo lets other commands speak to it.`;

export function addDemo(
  program: Command,
  context: Context,
  variables: Variables,
  setExitCode: (code: number) => void,
): void {
  program
    .command('demo')
    .description(
      'show the whole job on this machine: sign-in, agent, ID-JAG, tokens, events, graph, revocation; stays up until Ctrl-C (in a clone of the repository)',
    )
    .option('--once', 'end after the last step, with exit code 0 or 1')
    .addHelpText('after', HELP)
    .addHelpText('after', describeVariables(variables))
    .action(async ({ once = false }: { once?: boolean }) => {
      const [{ startRescind }, { bindLoopback, runDemo }, { createLog }, { readConfig }] = await Promise.all([
        import('../../main.js'),
        cloneOnly(import('../../sandbox/index.js')),
        import('../../platform/log/index.js'),
        import('../../platform/config/index.js'),
      ]);
      const { env } = context.terminal;
      // Bound before the service starts, which must know where its people sign in.
      const idpServer = await bindLoopback();
      const people = { clientId: 'rescind-console', clientSecret: randomBytes(32).toString('base64url') };
      const config = readConfig({
        OIDC_ISSUER: idpServer.origin,
        OIDC_CLIENT_ID: people.clientId,
        OIDC_CLIENT_SECRET: people.clientSecret,
        OIDC_ROLES: 'admin=security',
        // Nobody waits for days until the demo's ledger knows what is usual.
        FINDINGS_LEARN_DAYS: '0',
        ...env,
        RESCIND_HOME: join(env['RESCIND_HOME'] ?? DEFAULT_HOME, DEMO_DIRECTORY),
      });
      // The demo prints its story on the terminal, so the log prints only errors unless LOG_LEVEL is set.
      const log = createLog({ level: context.terminal.env['LOG_LEVEL'] === undefined ? 'error' : config.logLevel });
      const interrupt = listenForInterrupt();
      const say = (line: string): void => void context.terminal.out.write(`${line}\n`);
      try {
        const rescind = await startRescind(config, { log, say, abortStart: interrupt.signal });
        const failed = rescind.stopped.then(() => interrupt.request());
        try {
          const { adminKey, url, brokers, adminKeyPath } = rescind;
          if (adminKey === undefined) throw new Error(`the administrator's key is not in ${adminKeyPath}`);
          if (rescind.kafkaProblem !== undefined) say(`Without Kafka, events go over HTTP: ${rescind.kafkaProblem}`);
          const out = context.terminal.out;
          const demo = runDemo({
            rescindUrl: url,
            adminKey,
            brokers,
            home: config.home,
            once,
            console: { idpServer, ...people },
            log,
            out,
            stopRequested: interrupt.requested,
          });
          // In the middle of the story nothing listens for the request; the next call fails once the service is gone.
          const pull = interrupt.requested.then(() => setTimeout(() => void rescind.stop(), GRACE_MS).unref());
          setExitCode(await demo);
          if (interrupt.signal.aborted) clearTimeout(await pull);
        } finally {
          await rescind.stop();
          await failed;
        }
        const failure = rescind.failure();
        if (failure) throw failure;
      } finally {
        interrupt.stop();
        await idpServer.stop();
      }
    });
}

interface Interrupt {
  /** Resolves at the first SIGINT or SIGTERM. A second signal ends the process at once; so does the deadline of a stop. */
  readonly requested: Promise<void>;
  /** Aborted at the same moment. */
  readonly signal: AbortSignal;
  /** Does the same as a signal. */
  request(): void;
  stop(): void;
}

function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const requested = new Promise<void>((resolve) =>
    controller.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const request = (): void => controller.abort();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted[0]);
    request();
    setTimeout(() => process.exit(EXIT.interrupted[0]), STOP_DEADLINE_MS).unref();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    requested,
    signal: controller.signal,
    request,
    stop: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
