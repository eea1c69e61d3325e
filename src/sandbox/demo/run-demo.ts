import type { Log } from '../../platform/log/index.js';
import { createRescindAdmin } from '../rescind-admin.js';
import { startSandbox, type Sandbox, type SandboxOptions } from '../sandbox.js';
import { blockConnection } from './block-connection.js';
import { blockUser } from './block-user.js';
import { dayOfWork } from './day-of-work.js';
import { describeSandbox, writeDemoFile, type DemoTokens } from './demo-file.js';
import { nextSteps } from './next-steps.js';
import { createPrinter, DemoFailure, type DemoOutput, type Printer } from './printer.js';
import { proveRevocation, showOrigin } from './proof.js';
import { showAccess, showGraph } from './questions.js';
import { createNames, type Stage } from './stage.js';

export interface DemoOptions {
  readonly rescindUrl: string;
  /** Bearer key of a caller with the `admin` role. */
  readonly adminKey: string;
  /** null: the parties post their events over HTTP. */
  readonly brokers: readonly string[] | null;
  /** The console, at which the analyst signs in. Default: nobody does. */
  readonly console?: SandboxOptions['console'];
  /** Directory of `demo.json`. */
  readonly home: string;
  /** If true, the demo ends after the last step instead of staying up. */
  readonly once: boolean;
  readonly log: Log;
  /** Output of the demo; coloured only if it is a terminal. */
  readonly out: DemoOutput;
  /** Resolves when the demo must end; ignored with `once`. */
  readonly stopRequested: Promise<unknown>;
}

/**
 * Runs the whole demo against a running Rescind (design, section 8). Resolves with the exit status: 0 if every step met its expectation,
 * else 1.
 * The caller starts and stops the service; the demo stops what it has started.
 */
export async function runDemo(options: DemoOptions): Promise<0 | 1> {
  const printer = createPrinter(options.out);
  const startedAt = performance.now();
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await introduce(printer, options);
    const stage = createStage(printer, sandbox, options.rescindUrl);
    const tokens = await tellStory(stage);
    const file = describeSandbox(sandbox, options.rescindUrl, tokens);
    const path = await writeDemoFile(options.home, file);
    printer.section('What to try next');
    for (const [title, lines] of nextSteps(path, file)) {
      printer.plain('');
      printer.detail(title);
      for (const line of lines) printer.detail(`  ${line}`);
    }
    printer.plain('');
    printer.plain(`${printer.checks} checks passed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
    if (!options.once) {
      const { login, password } = sandbox.analyst;
      if (options.console)
        printer.plain(
          `Open the console at ${options.rescindUrl}/console/ and sign in as ${login}, password ${password}`,
        );
      printer.plain(`Rescind and the sandbox stay up at ${options.rescindUrl} until Ctrl-C.`);
      await options.stopRequested;
    }
    return 0;
  } catch (error) {
    tellFailure(printer, error, options.log);
    return 1;
  } finally {
    await sandbox?.stop();
  }
}

async function introduce(printer: Printer, options: DemoOptions): Promise<Sandbox> {
  const { rescindUrl, adminKey, brokers, log } = options;
  printer.title('Rescind: see and stop what applications and agents may do for your users');
  printer.section('The parties');
  const sandbox = await printer.step('Start an identity provider, two resource apps, a web app and an AI agent', () =>
    startSandbox({ rescindUrl, adminKey, brokers, log, ...(options.console ? { console: options.console } : {}) }),
  );
  const { idp, apps, clients, registered } = sandbox;
  const route = (party: string): string =>
    brokers === null ? 'POST /events' : `Kafka topic ${registered.parties.get(party)?.topic}`;
  printer.table(
    ['party', 'what it is', 'where', 'publishes to'],
    [
      ['rescind', 'sees and stops', rescindUrl, ''],
      ['idp', 'identity provider of alice and bob', idp.issuer, route('idp')],
      ['crm', 'customer database, JWT access tokens', apps.crm.resource, route('crm')],
      ['files', 'file store, opaque access tokens', apps.files.resource, route('files')],
      ['wiki', 'web application', new URL(clients.wiki.signInUrl).origin, ''],
      ['atlas', 'AI agent', new URL(clients.atlas.signInUrl).origin, ''],
    ],
  );
  printer.detail("Rescind's administrator has registered the three sources, and callers for them and for the analyst.");
  if (brokers === null) printer.detail('There is no Kafka here, so the parties post their events over HTTP.');
  return sandbox;
}

function createStage(printer: Printer, sandbox: Sandbox, rescindUrl: string): Stage {
  let calls = 0;
  return {
    printer,
    sandbox,
    analyst: createRescindAdmin(rescindUrl, sandbox.registered.analyst.secret),
    nameOf: createNames(sandbox),
    calls: () => calls,
    countCall: () => void (calls += 1),
  };
}

async function tellStory(stage: Stage): Promise<DemoTokens> {
  const tokens = await dayOfWork(stage);
  await showGraph(stage);
  await showAccess(stage);
  await blockConnection(stage, tokens);
  const rule = await blockUser(stage, tokens.bob);
  stage.printer.section('What is left in the record');
  const accesses = await showAccess(stage);
  const oldest = accesses.at(-1);
  if (oldest === undefined) throw new DemoFailure('no access was recorded');
  await showOrigin(stage, oldest.token);
  await proveRevocation(stage, rule);
  return {
    live: tokens.wikiAtCrm.accessToken,
    revoked: tokens.agentAtCrm.accessToken,
    agent: tokens.agentAtFiles.accessToken,
  };
}

function tellFailure(printer: Printer, error: unknown, log: Log): void {
  printer.plain('');
  if (error instanceof DemoFailure) {
    printer.plain(`This should have been so and was not: ${error.message}`);
    return;
  }
  log.error({ err: error }, 'the demo failed');
  printer.plain(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
}
