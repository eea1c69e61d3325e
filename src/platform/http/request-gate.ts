import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request whose headers have arrived and whose body has not been read. */
export interface Arriving {
  readonly raw: IncomingMessage;
  readonly ip: string;
  /** Set by the route. A `question` is answered from the database; a `report` too, for as long as its reader reads. */
  readonly asks: 'question' | 'report' | undefined;
}

/** Stands before routes and before the bodies of their requests. */
export interface RequestGate {
  /** Whether the gate stands before the route, given as its pattern. */
  guards(route: string): boolean;
  /** Lets the request in, or rejects with the `RescindError` to refuse it with. */
  enter(request: Arriving, res: ServerResponse): Promise<void>;
  /** Runs `next`, and everything that it begins, on behalf of the request. */
  within(raw: IncomingMessage, next: () => void): void;
  /** Called when the answer is ready and about to be sent. */
  answered(raw: IncomingMessage): void;
}
