import type { CloudEvent } from '../contracts/index.js';
import type { DropReason } from './spool/backlog.js';
import type { ProducerOptions } from './producer-options.js';
import type { ProducerCounts } from './producer-stats.js';
import type { SendFailed, Verdict } from './transport/transport.js';
import type { WaitingEvent } from './spool/waiting-event.js';

/** Counts what becomes of events, and tells the producer's owner by callbacks and the log. */
export interface ProducerReports {
  drop(event: CloudEvent | undefined, reason: DropReason): void;
  settled(event: WaitingEvent, verdict: Verdict): void;
  away(error: SendFailed, waiting: number): void;
  back(failures: number, waiting: number): void;
}

export function createReports(options: ProducerOptions, counts: ProducerCounts): ProducerReports {
  const { source, log } = options;
  const transport = options.transport.name;

  /** Calls a callback. An error that the callback throws is logged and does not stop the delivery. */
  function tell(call: () => void): void {
    try {
      call();
    } catch (err) {
      log?.error({ err, source }, 'a callback of the producer threw an error; delivery continues');
    }
  }

  return {
    drop(event, reason) {
      counts.droppedBy[reason]++;
      tell(() => options.onDropped({ event, reason }));
    },
    settled({ text }, verdict) {
      if (verdict.taken) {
        counts.delivered++;
        if (verdict.duplicate) counts.duplicates++;
        return;
      }
      counts.refused++;
      const { code, detail } = verdict;
      tell(() =>
        options.onRefused({ event: JSON.parse(text) as CloudEvent, code, ...(detail === undefined ? {} : { detail }) }),
      );
    },
    away(err, waiting) {
      const bindings = { err, code: err.code, source, transport, waiting };
      if (err.reason === 'held')
        log?.error(
          bindings,
          'the other side refuses this producer; events wait until its address, key or role is repaired',
        );
      else log?.warn(bindings, 'cannot deliver events; they wait, and the producer tries again');
    },
    back: (failures, waiting) => log?.info({ source, transport, failures, waiting }, 'events are delivered again'),
  };
}
