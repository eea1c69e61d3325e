import { withWait, type ControlFollower, type ControlLog } from '../control/index.js';
import type { Appender } from '../ingest/index.js';
import type { Config } from '../platform/config/index.js';
import { createOtlpSink, createTracing, type Tracing } from '../platform/observe/index.js';
import { VERSION, type Parts } from './parts.js';

/** Undefined where no collector is configured. */
export function startTracing(
  config: Config,
  { metrics, log, lifecycle }: Pick<Parts, 'metrics' | 'log' | 'lifecycle'>,
): Tracing | undefined {
  if (config.tracing === undefined) return undefined;
  const { ratio, ...collector } = config.tracing;
  const tracing = createTracing({ sink: createOtlpSink({ ...collector, version: VERSION, metrics, log }), ratio });
  lifecycle.onStop('traces', () => tracing.stop());
  return tracing;
}

export function traceCommits(controlLog: ControlLog, tracing: Tracing | undefined): ControlLog {
  if (tracing === undefined) return controlLog;
  return {
    ...controlLog,
    append: (...command) => tracing.span('control.commit', {}, () => controlLog.append(...command)),
  };
}

export function traceWaits(follower: ControlFollower, tracing: Tracing | undefined): ControlFollower {
  if (tracing === undefined) return follower;
  const whenInForce: ControlFollower['whenInForce'] = (seq, tenant) =>
    tracing.span('control.when-in-force', { 'rescind.control.seq': Number(seq) }, () =>
      follower.whenInForce(seq, tenant),
    );
  return withWait(follower, whenInForce);
}

export function traceBatches(appender: Appender, tracing: Tracing | undefined): Appender {
  if (tracing === undefined) return appender;
  return {
    ...appender,
    submit: (submission) =>
      tracing.span('ingest.submit', { 'rescind.events': submission.events.length }, () => appender.submit(submission)),
  };
}
