import { kafkajsInternal } from './internals.kafka.js';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

let installed = false;

/**
 * kafkajs 2.2.4 looks for waiting requests after every answer and then again every millisecond for as long as the connection lives, by a
 * timer of a negative time that Node 24 warns of. Nothing needs that: a request that must wait starts the timer itself.
 */
export function installRequestQueue(): void {
  if (installed) return;
  installed = true;
  const { prototype } = kafkajsInternal<{ prototype: RequestQueue }>('network/requestQueue/index.js');
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleIfAnyWaits(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
