import type { Command } from 'commander';
import type { RunningRescind } from '../../main.js';
import type { GroupMember } from '../../platform/group/index.js';
import type { Context } from '../context.js';

/** Environment variables, each with a sentence that explains it. */
export type Variables = Readonly<Record<string, string>>;

const LOCAL_KAFKA_WARNING =
  'This local Kafka is for development alone: it asks nobody who they are, so every account of this machine can send events as any source. Set KAFKA_BROKERS for anything else.';

export function addServe(program: Command, context: Context, variables: Variables): void {
  program
    .command('serve')
    .description('run the service; the variables below configure it')
    .addHelpText('after', describeVariables(variables))
    .action(async () => {
      const [{ startRescind, startRescindGroup }, { createLog }, { joinProcessGroup }, { readConfig }] =
        await Promise.all([
          import('../../main.js'),
          import('../../platform/log/index.js'),
          import('../../platform/group/index.js'),
          import('../../platform/config/index.js'),
        ]);
      const config = readConfig(context.terminal.env);
      const log = createLog({ level: config.logLevel });
      const member = joinProcessGroup();
      if (member) return serveIn(member, startRescind(config, { log, member }));
      const say = (line: string): void => void context.terminal.out.write(`${line}\n`);
      const rescind = await (config.processes === 1 ? startRescind : startRescindGroup)(config, { log, signals: true });
      say(`Rescind answers at ${rescind.url}${config.processes === 1 ? '' : `, in ${config.processes} processes`}`);
      if (rescind.consoleUrl !== null) say(`The console is at ${rescind.consoleUrl}`);
      if (rescind.signInLink !== null)
        say(
          `Open it as the administrator, once and within an hour: ${rescind.signInLink} (\`rescind sign-in\` makes another)`,
        );
      if (rescind.brokers)
        say(`Events are read from Kafka at ${rescind.brokers.join(', ')}, and taken at POST /events`);
      else
        say(
          `Events are taken at POST /events alone${rescind.kafkaProblem === undefined ? '' : `: ${rescind.kafkaProblem}`}`,
        );
      if (rescind.brokers && config.kafka === 'embedded') say(LOCAL_KAFKA_WARNING);
      if (rescind.firstStart)
        say(
          `The administrator's key lies in ${rescind.adminKeyPath}; only its owner can read it. Keep it safe, it is not shown again.`,
        );
      await rescind.stopped;
      const failure = rescind.failure();
      if (failure) throw failure;
    });
}

/** Runs one of several processes. It prints nothing; the process that started it prints. Resolves after the stop. */
async function serveIn(member: GroupMember, starting: Promise<RunningRescind>): Promise<void> {
  try {
    const { url, adminKey, adminKeyPath, firstStart, consoleUrl, signInLink, brokers, stopped } = await starting;
    member.listening({ url, adminKey, adminKeyPath, firstStart, consoleUrl, signInLink, brokers });
    await stopped;
  } catch (error) {
    member.failed(error);
  }
  if (process.connected) process.disconnect();
}

export function describeVariables(variables: Variables): string {
  const width = Math.max(0, ...Object.keys(variables).map((name) => name.length));
  return [
    '',
    'Environment:',
    ...Object.entries(variables).map(([name, sentence]) => `  ${name.padEnd(width)}  ${sentence}`),
  ].join('\n');
}
