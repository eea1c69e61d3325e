import type { Command } from 'commander';
import type { Context } from './context.js';

/** Variables of the environment, with a sentence each. */
export type Variables = Readonly<Record<string, string>>;

export function addServe(program: Command, context: Context, variables: Variables): void {
  program
    .command('serve')
    .description('run the service; configured by the environment')
    .addHelpText('after', describeVariables(variables))
    .action(async () => {
      const [{ startRescind }, { createLog, readConfig }] = await Promise.all([import('../main.js'), import('../platform/index.js')]);
      const config = readConfig(context.terminal.env);
      const rescind = await startRescind(config, { log: createLog({ level: config.logLevel }), signals: true });
      const say = (line: string): void => void context.terminal.out.write(`${line}\n`);
      say(`Rescind answers at ${rescind.url}`);
      if (rescind.brokers) say(`Events are read from Kafka at ${rescind.brokers.join(', ')}, and taken at POST /events`);
      else say(`Events are taken at POST /events alone${rescind.kafkaProblem === undefined ? '' : `: ${rescind.kafkaProblem}`}`);
      if (rescind.firstStart) say(`The administrator's key lies in ${rescind.adminKeyPath}; only its owner can read it. Keep it safe, it is not shown again.`);
      await rescind.stopped;
    });
}

export function describeVariables(variables: Variables): string {
  const width = Math.max(0, ...Object.keys(variables).map((name) => name.length));
  return ['', 'Environment:', ...Object.entries(variables).map(([name, sentence]) => `  ${name.padEnd(width)}  ${sentence}`)].join('\n');
}
