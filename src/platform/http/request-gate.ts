import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request whose headers are there and whose body has not been read. */
export interface Arriving {
  readonly raw: IncomingMessage;
  readonly ip: string;
  /** Set by the route: a question is answered from the database; a report too, for as long as its reader reads. */
  readonly asks: 'question' | 'report' | undefined;
}

/** Stands before routes and before the bodies of their requests. */
export interface RequestGate {
  /** Whether it stands before the route, given as its pattern. */
  guards(route: string): boolean;
  /** Rejects with the `RescindError` that the request is refused with. */
  enter(request: Arriving, res: ServerResponse): Promise<void>;
  /** Runs what follows for the request. */
  within(raw: IncomingMessage, next: () => void): void;
  /** The answer is there and is about to be sent. */
  answered(raw: IncomingMessage): void;
}
