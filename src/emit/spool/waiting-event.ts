/** An accepted event that is not yet delivered. */
export interface WaitingEvent {
  /** Place in the order of acceptance; dense, and with a spool also across restarts. */
  readonly seq: number;
  /** When the event was accepted, in milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** The CloudEvent as JSON. */
  readonly text: string;
  /** Size of the text in UTF-8. */
  readonly bytes: number;
}

/** Limits of one attempt. The first event always fits. */
export interface BatchLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}
