import type { Command } from 'commander';
import { jsonOption, type Context } from '../context.js';
import { describeVariables, type Variables } from './serve.js';
import { UsageError } from '../terminal.js';

/** Control records between two lines of progress. */
const PROGRESS_EVERY = 100_000n;

export function addControl(program: Command, context: Context, variables: Variables): void {
  const control = program
    .command('control')
    .description(
      'restore the control log (sources, callers, rules); works on the servers themselves, not through the service',
    );

  control
    .command('restore')
    .description(
      'bring the control log of an empty or older database up to the state that was published to Kafka; stop every process of the deployment first',
    )
    .requiredOption('--from-topic', 'read it from the topic <TOPIC_PREFIX>.control')
    .addOption(jsonOption())
    .addHelpText('after', describeVariables(variables))
    .action(async (_options: object, command: Command) => {
      const [{ restoreFromTopic }, { createLog }, { readConfig }] = await Promise.all([
        import('../../main.js'),
        import('../../platform/log/index.js'),
        import('../../platform/config/index.js'),
      ]);
      const config = readConfig(context.terminal.env);
      if (config.kafka === 'none') throw new UsageError('KAFKA_BROKERS is none: there is no topic to restore from');
      let saidAt = 0n;
      const onProgress = (seq: bigint): void => {
        if (seq - saidAt < PROGRESS_EVERY) return;
        saidAt = seq;
        context.terminal.err.write(`record ${seq}\n`);
      };
      context.show(command, {
        ...(await restoreFromTopic(config, { log: createLog({ level: config.logLevel }), onProgress })),
      });
    });
}
