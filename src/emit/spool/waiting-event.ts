/** An accepted event on its way. */
export interface WaitingEvent {
  /** Its place in the order of acceptance, dense, also across restarts where there is a spool. */
  readonly seq: number;
  /** When it was accepted, milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** The CloudEvent as JSON. */
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
}

/** What one attempt may carry. The first event always fits. */
export interface BatchLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}
